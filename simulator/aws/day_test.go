package aws_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func TestDaysAndTruthOverTheControlInterface(t *testing.T) {
	t.Parallel()
	s, err := aws.New(aws.Options{People: 300, Seed: 4, Day: 10})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	ask := func(method, path, body string, into any) int {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		answer, err := server.Client().Do(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		if into != nil {
			require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
		}
		return answer.StatusCode
	}
	var day aws.DayReport
	require.Equal(t, http.StatusOK, ask(http.MethodGet, "/_simulator/day", "", &day))
	require.Equal(t, 10, day.Day)

	truth := func() (told aws.TruthReport) {
		require.Equal(t, http.StatusOK, ask(http.MethodGet, "/_simulator/truth?bucket="+s.Summary().Sensitive.Name, "", &told))
		require.Equal(t, aws.DefaultAction, told.Action)
		return told
	}
	before := truth()
	require.NotEmpty(t, before.Reaches)
	require.Equal(t, http.StatusOK, ask(http.MethodPut, "/_simulator/day", `{"day":300}`, &day))
	require.Equal(t, 300, day.Day)
	after := truth()
	require.Equal(t, 300, after.Day)
	require.NotEqual(t, before.Reaches, after.Reaches)
	require.Equal(t, http.StatusOK, ask(http.MethodPut, "/_simulator/day", `{"day":10}`, &day))
	require.Equal(t, before, truth(), "a day is the same whenever it comes")

	for _, bad := range []string{`{"day":-1}`, `{"day":100000}`, `{"days":1}`, `later`} {
		require.Equal(t, http.StatusBadRequest, ask(http.MethodPut, "/_simulator/day", bad, nil), bad)
	}
	require.Equal(t, http.StatusNotFound, ask(http.MethodGet, "/_simulator/truth?bucket=nobodys", "", nil))
	var reach aws.ReachReport
	require.Equal(t, http.StatusOK, ask(http.MethodGet, "/_simulator/truth?identity="+s.Summary().Contractor.IAMUserID, "", &reach))
	require.Contains(t, reach.Buckets, s.Summary().Sensitive.Name)
}

// The contract analysts hold a permission set that names the bucket; the analysts
// of the lake hold one that denies it.
func TestTruthWeighsStatements(t *testing.T) {
	t.Parallel()
	s, err := aws.New(aws.Options{People: 400, Seed: 4})
	require.NoError(t, err)
	told, err := s.Truth(s.Summary().Sensitive.Name, "s3:GetObject")
	require.NoError(t, err)
	verdicts := map[string]estate.Verdict{}
	for _, r := range told.Reaches {
		verdicts[r.PermissionSet] = r.Verdict
	}
	require.Equal(t, estate.Allowed, verdicts["PayrollMigration"])
	require.Equal(t, estate.Denied, verdicts["DataAnalyst"])
	told, err = s.Truth(s.Summary().Sensitive.Name, "s3:DeleteObject")
	require.NoError(t, err)
	for _, r := range told.Reaches {
		require.NotEqual(t, "PayrollMigration", r.PermissionSet, "nothing allows deletion")
	}
}

// Whoever reaches the bucket over Identity Center without taking a role is the same
// by both ways of finding out; the contractor takes a role.
func TestTruthIsOneTruth(t *testing.T) {
	t.Parallel()
	for seed := range int64(5) {
		s, err := aws.New(aws.Options{People: 60, Seed: seed, Day: int(50 * seed)})
		require.NoError(t, err)
		bucket, contractor := s.Summary().Sensitive.Name, s.Summary().Contractor
		told, err := s.Truth(bucket, "")
		require.NoError(t, err)
		people, holders := map[string]bool{}, map[string]estate.Holder{}
		for _, r := range told.Reaches {
			people[r.UserID] = true
		}
		for _, h := range told.Holders {
			holders[h.ID] = h
			if h.Kind == estate.KindDirectoryUser {
				require.Equal(t, people[h.ID], h.Itself != "", "%+v", h)
			}
		}
		for id := range people {
			require.Contains(t, holders, id)
		}
		user := holders[contractor.IAMUserID]
		require.Empty(t, user.Itself)
		data, ok := s.Estate().AccountByID(s.Summary().Sensitive.AccountID)
		require.True(t, ok)
		runner, ok := s.Estate().Inventory(data.Index).Role("DataMigrationRunner")
		require.True(t, ok)
		require.Equal(t, contractor.RoleARN, runner.ARN)
		require.Contains(t, user.Roles, runner.ID)
		require.Equal(t, estate.Allowed, holders[runner.ID].Itself)
		reached, err := s.Reach(contractor.IAMUserID, "")
		require.NoError(t, err)
		require.Contains(t, reached.Buckets, bucket)
		none, err := s.Reach("AIDANOBODY", "")
		require.NoError(t, err)
		require.Empty(t, none.Buckets)
	}
}

// People are computed when they are asked for: a million cost what it takes to
// know which groups they are in.
func TestAMillionPeopleAreNotKept(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	made, err := estate.New(estate.Options{People: 1_000_000, Seed: 1, Day: 30})
	require.NoError(t, err)
	require.Equal(t, 1_030_000, made.Company.People())
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc-before.HeapAlloc, uint64(128<<20), "bytes for a million people")

	// Nor are they once they have been shown, nor what is in their accounts.
	for n := range made.Center.UserCount() {
		if made.Center.User(n).ID == "" {
			t.Fatal("a user without an id")
		}
	}
	for account := range made.Organization.Accounts {
		require.NotNil(t, made.Inventory(account))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc-before.HeapAlloc, uint64(128<<20), "bytes once all have been looked at")
	require.NotEmpty(t, made.Center.User(900_000).ID)
}

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
	require.NotEmpty(t, made.Center.User(900_000).ID)
}

package cyberark_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/cyberark"
	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// tenant is a simulated tenant with a token to it.
type tenant struct {
	*cyberark.Simulator
	url, token string
}

func newTenant(t testing.TB, people int, faults ...cyberark.Fault) *tenant {
	t.Helper()
	s, err := cyberark.New(cyberark.Options{People: people, Seed: 5, Faults: faults})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	c := &tenant{Simulator: s, url: server.URL}
	a := s.Estate().Auditor
	status, text := c.signIn(t, "/OAuth2/Token/"+a.ApplicationID, a.Login, a.Password, a.Scope)
	require.Equal(t, http.StatusOK, status, text)
	var got struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	c.token = got.AccessToken
	return c
}

func (c *tenant) signIn(t testing.TB, path, login, password, scope string) (status int, text string) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(login, password)
	return do(t, r)
}

func do(t testing.TB, r *http.Request) (status int, text string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func (c *tenant) call(t testing.TB, path string, body any) (status int, text string) {
	t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, bytes.NewReader(raw))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("X-IDAP-NATIVE-CLIENT", "true")
	return do(t, r)
}

type answer struct {
	Success bool    `json:"success"`
	Message *string `json:"Message"`
	Result  struct {
		Count, FullCount int
		Results          []struct {
			Row map[string]any
		}
	}
}

// query asks for a page of a script, which is answered with success or not.
func (c *tenant) query(t testing.TB, script string, page, size int) answer {
	t.Helper()
	status, text := c.call(t, "/Redrock/query", map[string]any{"Script": script, "Args": map[string]int{"PageNumber": page, "PageSize": size, "Limit": size}})
	require.Equal(t, http.StatusOK, status, text)
	var got answer
	require.NoError(t, json.Unmarshal([]byte(text), &got), text)
	return got
}

func (a answer) column(name string) (values []string) {
	for _, r := range a.Result.Results {
		text, _ := r.Row[name].(string)
		values = append(values, text)
	}
	return values
}

func TestQueriesHavePagesAndErrorsComeWithSuccess(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 30)
	all := c.query(t, "Select ID, Username from User ORDER BY Username COLLATE NOCASE", 1, 1000)
	require.True(t, all.Success)
	require.Len(t, all.Result.Results, all.Result.FullCount)
	names := all.column("Username")
	require.True(t, slices.IsSorted(names))
	second := c.query(t, "select Username from User order by Username", 2, 7)
	require.Equal(t, names[7:14], second.column("Username"))
	require.Equal(t, all.Result.FullCount, second.Result.FullCount)
	require.Equal(t, 7, second.Result.Count)
	one := c.query(t, "select ID from User where Username = '"+names[3]+"'", 1, 10)
	require.Len(t, one.Result.Results, 1)
	first, again := c.query(t, "select ID from User", 1, 1000).column("ID"), c.query(t, "select ID from User", 1, 1000).column("ID")
	require.NotEqual(t, first, again, "without an order, the order is another each time")
	require.ElementsMatch(t, first, again)
	for _, wrong := range []string{"select ID from Nothing", "select Nothing from User", "delete from User", "select ID from User where ID like 'a'", "select ID from User order by Nothing"} {
		got := c.query(t, wrong, 1, 10)
		require.False(t, got.Success, wrong)
		require.NotNil(t, got.Message)
	}
}

// Ranges of keys hold what a walk over all rows finds.
func TestRangesOfKeys(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 40)
	all := c.query(t, "select InternalName from DSUsers order by InternalName", 1, 1000).column("InternalName")
	require.Len(t, all, 41, "the service user is one")
	rapid.Check(t, func(r *rapid.T) {
		key := rapid.OneOf(rapid.SampledFrom(all), rapid.StringMatching(`[0-9a-f]{1,4}`))
		low, high := key.Draw(r, "low"), key.Draw(r, "high")
		size := rapid.IntRange(1, 60).Draw(r, "size")
		got := c.query(t, "select InternalName from DSUsers where InternalName > '"+low+"' and InternalName <= '"+high+"' order by InternalName", 1, size)
		var want []string
		for _, id := range all {
			if id > low && id <= high {
				want = append(want, id)
			}
		}
		require.Equal(r, len(want), got.Result.FullCount)
		require.Equal(r, want[:min(size, len(want))], append([]string(nil), got.column("InternalName")...))
	})
}

func TestRightsHideRowsWithoutAWord(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 10, cyberark.Fault{Kind: cyberark.FaultDeny, Permission: "Read Only Role Management"}, cyberark.Fault{Kind: cyberark.FaultDeny, Permission: "Read Only System Administration"})
	require.Empty(t, c.query(t, "select ID from Role", 1, 100).Result.Results)
	own := c.query(t, "select * from Application", 1, 100)
	require.True(t, own.Success)
	require.Equal(t, []string{c.Estate().Auditor.ApplicationID}, own.column("ID"), "the app that signed in is seen by everybody")
	require.Len(t, c.query(t, "select ID from User", 1, 100).column("ID"), len(newTenant(t, 10).query(t, "select ID from User", 1, 100).column("ID")))
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 4)
	a := c.Estate().Auditor
	at := "/OAuth2/Token/" + a.ApplicationID
	for name, test := range map[string]struct {
		path, login, password, scope string
		status                       int
		says                         string
	}{
		"password":    {at, a.Login, "wrong", a.Scope, http.StatusUnauthorized, "access_denied"},
		"scope":       {at, a.Login, a.Password, "other", http.StatusBadRequest, "invalid_scope"},
		"application": {"/OAuth2/Token/other", a.Login, a.Password, a.Scope, http.StatusNotFound, ""},
		// Logins are taken as they are, and not decoded as a form's.
		"encoded": {at, url.QueryEscape(a.Login), a.Password, a.Scope, http.StatusUnauthorized, "access_denied"},
	} {
		status, text := c.signIn(t, test.path, test.login, test.password, test.scope)
		require.Equal(t, test.status, status, name)
		require.Contains(t, text, test.says)
	}
	c.token = "no-such-token"
	status, _ := c.call(t, "/Security/whoami", struct{}{})
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestUnknownPathsShowTheSignInPage(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 4)
	status, text := c.call(t, "/Nothing/There", struct{}{})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "<html>")
}

func TestMembersOfRoles(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 30)
	members := func(id string) int {
		status, text := c.call(t, "/Roles/GetRoleMembers", map[string]any{"Name": id, "Args": map[string]int{"PageSize": 1}})
		require.Equal(t, http.StatusOK, status)
		var got answer
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		return len(got.Result.Results)
	}
	e := c.Estate()
	require.Zero(t, members(e.Roles[estate.RoleOfEverybody].ID), "it is not listed")
	contractors := &e.Roles[estate.RoleContractors]
	require.Equal(t, e.Members(contractors), members(contractors.ID), "pages are not taken")
	c.Leave(e.Contractor())
	require.Equal(t, e.Members(contractors)-1, members(contractors.ID))
}

func TestFaultsOnRequest(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 4)
	post := func(body string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/_simulator/faults", strings.NewReader(body))
		require.NoError(t, err)
		status, _ := do(t, r)
		return status
	}
	require.Equal(t, http.StatusCreated, post(`{"kind":"throttle","retry_after_seconds":7,"times":1}`))
	status, _ := c.call(t, "/Security/whoami", struct{}{})
	require.Equal(t, http.StatusTooManyRequests, status)
	status, text := c.call(t, "/Security/whoami", struct{}{})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, strings.ToUpper(c.Estate().TenantID))
	require.Equal(t, 1, c.Faults()[0].Hits)
	for _, wrong := range []string{`{"kind":"other"}`, `{"kind":"deny"}`, `{"kind":"deny","permission":"Nothing"}`, `{"kind":"slow"}`, `{"kind":"sign_in"}`, `{"kind":"throttle","every":-1}`, `{"kind":"deny","permission":"Redrock/query.*","status":500}`} {
		require.Equal(t, http.StatusBadRequest, post(wrong), wrong)
	}
}

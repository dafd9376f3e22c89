package azure_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/azure"
)

// client calls a simulator as curl would.
type client struct {
	*azure.Simulator
	url   string
	token string
}

func newClient(t *testing.T, options azure.Options) *client {
	t.Helper()
	options.Seed = 3
	s, err := azure.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &client{Simulator: s, url: server.URL}
}

// signIn gets a token for a resource.
func (c *client) signIn(t *testing.T, resource string, edit url.Values) (status int, body map[string]any) {
	t.Helper()
	a := c.Estate().Auditor
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.Secret}, "scope": {resource + "/.default"}}
	for k, v := range edit {
		form[k] = v
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/"+c.Estate().TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body = do(t, request)
	c.token, _ = body["access_token"].(string)
	return status, body
}

func do(t *testing.T, request *http.Request) (status int, body map[string]any) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.NoError(t, json.Unmarshal(raw, &body), "%s", raw)
	return response.StatusCode, body
}

func (c *client) get(t *testing.T, link string) (status int, body map[string]any) {
	t.Helper()
	if !strings.HasPrefix(link, "http") {
		link = c.url + link
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+c.token)
	return do(t, request)
}

func code(body map[string]any) any {
	e, _ := body["error"].(map[string]any)
	return e["code"]
}

// TestTokens goes through the refusals of the token endpoint.
func TestTokens(t *testing.T) {
	t.Parallel()
	c := newClient(t, azure.Options{People: 10})
	for name, test := range map[string]struct {
		edit  url.Values
		codes []any
	}{
		"wrong secret": {url.Values{"client_secret": {"x"}}, []any{7000215.0}},
		"stranger":     {url.Values{"client_id": {"x"}}, []any{700016.0}},
		"v1 resource":  {url.Values{"resource": {"x"}}, []any{901002.0}},
		"no default":   {url.Values{"scope": {"https://graph.microsoft.com/User.Read"}}, []any{1002012.0}},
		"other grant":  {url.Values{"grant_type": {"password"}}, []any{70003.0}},
	} {
		status, body := c.signIn(t, "https://graph.microsoft.com", test.edit)
		require.GreaterOrEqual(t, status, 400, name)
		require.Equal(t, test.codes, body["error_codes"], name)
		require.Contains(t, body["error_description"], "AADSTS", name)
	}
	status, body := c.signIn(t, "https://management.azure.com", nil)
	require.Equal(t, 200, status, "%v", body)
	status, body = c.get(t, "/v1.0/users")
	require.Equal(t, 401, status, "a token is for one API")
	require.Equal(t, "InvalidAuthenticationToken", code(body))
}

// TestPaging follows next links whole, over the empty page, and is refused with a
// token that is taken elsewhere.
func TestPaging(t *testing.T) {
	t.Parallel()
	c := newClient(t, azure.Options{People: 250})
	c.signIn(t, "https://graph.microsoft.com", nil)
	seen, sizes := map[any]bool{}, []int{}
	next, second := "/v1.0/users?$select=id,displayName", ""
	for next != "" {
		status, body := c.get(t, next)
		require.Equal(t, 200, status, "%v", body)
		value, _ := body["value"].([]any)
		for _, u := range value {
			one, _ := u.(map[string]any)
			require.Len(t, one, 2, "only what was selected")
			seen[one["id"]] = true
		}
		sizes = append(sizes, len(value))
		next, _ = body["@odata.nextLink"].(string)
		if second == "" {
			second = next
		}
	}
	require.Equal(t, []int{100, 0, 100, 50}, sizes)
	require.Len(t, seen, 250)
	token, err := url.Parse(second)
	require.NoError(t, err)
	status, _ := c.get(t, "/v1.0/users?$select=id&$skiptoken="+token.Query().Get("$skiptoken"))
	require.Equal(t, 400, status, "the token belongs to another selection")
	status, _ = c.get(t, "/v1.0/users?$top=1000")
	require.Equal(t, 400, status)
	_, body := c.get(t, "/v1.0/users?$top=1")
	value, _ := body["value"].([]any)
	require.NotContains(t, value[0], "accountEnabled", "not among what comes unselected")
}

// TestMembersByVersion has service principals in beta alone.
func TestMembersByVersion(t *testing.T) {
	t.Parallel()
	c := newClient(t, azure.Options{People: 60})
	c.signIn(t, "https://graph.microsoft.com", nil)
	count := func(version string) int {
		n := 0
		for _, g := range c.Estate().Groups {
			if g.Name != "Automation" {
				continue
			}
			_, body := c.get(t, "/"+version+"/groups/"+g.ID+"/members")
			value, _ := body["value"].([]any)
			n = len(value)
		}
		return n
	}
	require.Equal(t, 1, count("v1.0"))
	require.Equal(t, 5, count("beta"))
}

// TestBatch answers each part by itself, in another order.
func TestBatch(t *testing.T) {
	t.Parallel()
	c := newClient(t, azure.Options{People: 20, Faults: []azure.Fault{{Kind: azure.FaultThrottle, Service: "graph", Operation: "groups", RetryAfterSeconds: 7}}})
	c.signIn(t, "https://graph.microsoft.com", nil)
	post := func(text string) (int, map[string]any) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/v1.0/$batch", strings.NewReader(text))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+c.token)
		return do(t, request)
	}
	status, body := post(`{"requests":[{"id":"a","method":"GET","url":"/organization"},{"id":"b","method":"GET","url":"/groups"},{"id":"c","method":"GET","url":"/groups/none/members"}]}`)
	require.Equal(t, 200, status)
	got := map[any]any{}
	responses, _ := body["responses"].([]any)
	for _, r := range responses {
		one, _ := r.(map[string]any)
		got[one["id"]] = one["status"]
		if one["id"] == "b" {
			require.Equal(t, "7", one["headers"].(map[string]any)["Retry-After"])
		}
	}
	require.Equal(t, map[any]any{"a": 200.0, "b": 429.0, "c": 404.0}, got)
	require.Equal(t, "c", responses[0].(map[string]any)["id"])
	status, _ = post(`{"requests":[{"id":"a","method":"GET","url":"/users"},{"id":"A","method":"GET","url":"/users"}]}`)
	require.Equal(t, 400, status)
	status, _ = post(`{"requests":[` + strings.Repeat(`{"id":"a","method":"GET","url":"/users"},`, 20) + `{"id":"z","method":"GET","url":"/users"}]}`)
	require.Equal(t, 400, status)
}

// TestAzureShowsWhatApplies lists assignments at, above and below a subscription,
// and with a filter at and above alone.
func TestAzureShowsWhatApplies(t *testing.T) {
	t.Parallel()
	c := newClient(t, azure.Options{People: 60, Faults: []azure.Fault{{Kind: azure.FaultDeny, Permission: "Microsoft.Authorization/denyAssignments/read"}}})
	c.signIn(t, "https://management.azure.com", nil)
	list := func(query string) []any {
		status, body := c.get(t, c.Estate().Subscriptions[0].Path()+"/providers/Microsoft.Authorization/roleAssignments?"+query)
		require.Equal(t, 200, status, "%v", body)
		value, _ := body["value"].([]any)
		return value
	}
	all, at := list("api-version=2022-04-01"), list("api-version=2022-04-01&$filter=atScope()")
	require.Greater(t, len(all), len(at))
	require.NotEmpty(t, at)
	status, body := c.get(t, "/subscriptions")
	require.Equal(t, 400, status)
	require.Equal(t, "MissingApiVersionParameter", code(body))
	status, body = c.get(t, c.Estate().Subscriptions[0].Path()+"/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01")
	require.Equal(t, 403, status)
	require.Equal(t, "AuthorizationFailed", code(body))
}

// TestSamePeople has the same estate for the same seed, and another for another.
func TestSamePeople(t *testing.T) {
	t.Parallel()
	a, b := newClient(t, azure.Options{People: 30}), newClient(t, azure.Options{People: 30})
	require.Equal(t, a.Estate().Groups, b.Estate().Groups)
	require.Equal(t, a.Estate().Company.Person(7).Email, a.Estate().User(7).Mail)
	_, err := azure.New(azure.Options{People: 30, Faults: []azure.Fault{{Kind: "no such"}}})
	require.Error(t, err)
}

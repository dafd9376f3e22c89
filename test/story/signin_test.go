package story

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/cli/login"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/test/identity"
)

// TestSignIn has people sign in at a certified provider that we did not write,
// with its own login pages, by the real command line, and work in the workspaces
// that invitations and groups gave them.
func TestSignIn(t *testing.T) {
	t.Parallel()
	issuer, clientID := identity.Start(t)
	p, _ := startDev(t, t.TempDir(), "GATEHOUSE_OIDC_ISSUER="+issuer, "GATEHOUSE_OIDC_CLIENT_ID="+clientID)

	invited := p.cli(t, nil, "members", "invite", "alice@example.com", "--role", "connector_builder")
	require.Zero(t, invited.status, invited.stderr)
	mapped := p.cli(t, nil, "claim-mappings", "create", "groups", "readers", "--role", "viewer")
	require.Zero(t, mapped.status, mapped.stderr)
	tenant := p.as(t, p.tenantKey)
	made := tenant.cli(t, nil, "workspaces", "create", "Payments", "--owner", "alice@example.com")
	require.Zero(t, made.status, made.stderr)

	alice := newPerson(t, p, "alice")
	alice.login(t, alice.browse)
	var who client.Identity
	decode(t, alice.must(t, "whoami", "-o", "json"), &who)
	require.Equal(t, "alice@example.com", who.Person.Email)
	require.Len(t, who.Workspaces, 2)
	require.Contains(t, alice.must(t, "whoami"), "connector_builder")
	alice.must(t, "connections", "list")
	denied := alice.cli(t, "api-keys", "create", "--name", "x", "--role", "viewer")
	require.Equal(t, 4, denied.status)
	require.Contains(t, denied.stderr, "members.manage")
	alice.must(t, "workspaces", "use", who.Workspaces[1].WorkspaceID)
	alice.must(t, "api-keys", "create", "--name", "x", "--role", "viewer")
	require.Contains(t, alice.must(t, "workspaces", "list"), "Payments")
	alice.requirePrivateFile(t)

	// Somebody in a group, on another device.
	bob := newPerson(t, p, "bob+readers")
	bob.login(t, bob.browse, "--device")
	bob.must(t, "connections", "list")
	refused := bob.cli(t, "members", "invite", "eve@example.com", "--role", "viewer")
	require.Equal(t, 4, refused.status, refused.stderr)

	// Not invited; and invited by an address that the provider does not vouch for.
	require.Zero(t, p.cli(t, nil, "members", "invite", "carol@example.com", "--role", "admin").status)
	for _, login := range []string{"mallory", "carol+unverified"} {
		stranger := newPerson(t, p, login)
		status, printed := stranger.tryLogin(t, stranger.browse)
		require.Equal(t, 4, status, printed)
		require.Contains(t, printed, "member of no workspace")
	}
	renewal(t, p, alice)

	bob.requireRevoked(t, issuer, clientID)
	gone := bob.cli(t, "whoami")
	require.Equal(t, 2, gone.status, "no server is named any more")
	members := p.cli(t, nil, "members", "list")
	require.Contains(t, members.stdout, "bob@example.com")
}

// renewal ends sessions as time would, and has the command line get others by
// itself, until the provider no longer agrees.
func renewal(t *testing.T, p *plane, alice *person) {
	before := alice.token(t)
	execute(t, p.database, "update sessions set last_used_at = now() - interval '2 hours' where ended_at is null")
	alice.must(t, "whoami")
	require.NotEqual(t, before, alice.token(t), "another session, without a sign-in")

	alice.edit(t, `"refresh_token": "`, `"refresh_token": "x`)
	alice.must(t, "whoami") // the session itself is good
	execute(t, p.database, "update sessions set expires_at = now() where ended_at is null")
	ended := alice.cli(t, "whoami")
	require.Equal(t, 4, ended.status, ended.stderr)
	require.Contains(t, ended.stderr, "sign in again with gatehouse login")
	alice.login(t, alice.browse)
	alice.must(t, "logout", "--everywhere")
}

// person is somebody with a machine and a browser of their own.
type person struct {
	plane *plane
	// config is the configuration directory, in the environment.
	config  []string
	dir     string
	browser *identity.Browser
}

func newPerson(t *testing.T, p *plane, login string) *person {
	t.Helper()
	dir := t.TempDir()
	return &person{plane: p, dir: dir, config: []string{"XDG_CONFIG_HOME=" + dir, "HOME=" + dir}, browser: identity.NewBrowser(t, login)}
}

func (w *person) cli(t *testing.T, args ...string) printed {
	t.Helper()
	return command(t, w.config, args...)
}

func (w *person) must(t *testing.T, args ...string) string {
	t.Helper()
	got := w.cli(t, args...)
	require.Zero(t, got.status, "gatehouse %v\n%s%s", args, got.stdout, got.stderr)
	return got.stdout
}

// browse does at the provider what the command line asks for.
func (w *person) browse(t *testing.T, address string) { w.browser.SignIn(t, address) }

func (w *person) login(t *testing.T, browse func(*testing.T, string), flags ...string) {
	t.Helper()
	status, printed := w.tryLogin(t, browse, flags...)
	require.Zero(t, status, printed)
	require.Contains(t, printed, "Signed in as")
}

func (w *person) tryLogin(t *testing.T, browse func(*testing.T, string), flags ...string) (status int, printed string) {
	t.Helper()
	p := start(t, w.config, append([]string{"login", "--url", w.plane.url, "--no-browser"}, flags...)...)
	pattern := `Sign in at:\n(http\S+)`
	if len(flags) > 0 {
		pattern = `or open (http\S+)`
	}
	address := p.await(t, pattern)
	if len(flags) == 0 {
		strayCallbacks(t, address)
	}
	browse(t, address)
	<-p.ended
	return p.cmd.ProcessState.ExitCode(), p.out.String()
}

// strayCallbacks sends the listener answers that are none: without state, with
// another, and none at all.
func strayCallbacks(t *testing.T, address string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	callback := u.Query().Get("redirect_uri")
	require.True(t, strings.HasPrefix(callback, "http://127.0.0.1:"), callback)
	require.Equal(t, "S256", u.Query().Get("code_challenge_method"))
	require.NotEmpty(t, u.Query().Get("nonce"))
	for _, query := range []string{"", "?code=x", "?code=x&state=x", "?error=access_denied&state="} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, callback+query, http.NoBody)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		require.Equal(t, http.StatusBadRequest, res.StatusCode, "another state changes nothing")
	}
}

func (w *person) file() string { return filepath.Join(w.dir, "gatehouse", "contexts.json") }

func (w *person) requirePrivateFile(t *testing.T) {
	t.Helper()
	info, err := os.Stat(w.file())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// requireRevoked signs out: the provider gives nothing for the refresh token any
// more, wherever it was copied to.
func (w *person) requireRevoked(t *testing.T, issuer, clientID string) {
	t.Helper()
	provider := login.Provider{Issuer: issuer, ClientID: clientID}
	// Refreshing takes the token's place, so what works is kept for the command line.
	refreshed, err := provider.Refresh(t.Context(), login.Tokens{Refresh: w.kept(t, "refresh_token")})
	require.NoError(t, err)
	w.edit(t, w.kept(t, "refresh_token"), refreshed.Refresh)
	got := w.cli(t, "logout")
	require.Zero(t, got.status, got.stderr)
	require.Equal(t, "Signed out.\n", got.stderr)
	_, err = provider.Refresh(t.Context(), refreshed)
	require.ErrorContains(t, err, "invalid_grant")
}

// token returns the session's token.
func (w *person) token(t *testing.T) string {
	t.Helper()
	token := w.kept(t, "token")
	require.True(t, strings.HasPrefix(token, "gs_"))
	return token
}

// kept returns what the file of contexts holds under a name.
func (w *person) kept(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(w.file())
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(raw), `"`+name+`": "`)
	require.True(t, ok)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// edit changes the person's file of contexts.
func (w *person) edit(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(w.file())
	require.NoError(t, err)
	require.Contains(t, string(raw), from)
	require.NoError(t, os.WriteFile(w.file(), []byte(strings.Replace(string(raw), from, to, 1)), 0o600))
}

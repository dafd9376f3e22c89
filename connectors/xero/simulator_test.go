package xero_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
	"github.com/gatehouse-project/gatehouse/connectors/xero"
	simulator "github.com/gatehouse-project/gatehouse/simulator/xero"
)

const people = 120

// books is a simulated Xero with its own server, and one consent to it.
type books struct {
	*simulator.Simulator
	url  string
	kept *connectortest.Credentials
}

func newBooks(t testing.TB, options simulator.Options) *books {
	t.Helper()
	if options.People == 0 {
		options.People = people
	}
	if options.Seed == 0 {
		options.Seed = 7
	}
	s, err := simulator.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &books{Simulator: s, url: server.URL, kept: connectortest.NewCredentials(s.SignIn())}
}

func (b *books) settings(t testing.TB, edit map[string]any) connector.Settings {
	t.Helper()
	fields := map[string]any{"client_id": b.ClientID(), "client_secret": b.ClientSecret(), "endpoint_url": b.url}
	for k, v := range edit {
		fields[k] = v
	}
	raw, err := json.Marshal(fields)
	require.NoError(t, err)
	return connector.Settings{
		Configuration: raw, HTTPClient: &http.Client{Transport: http.DefaultTransport}, Credentials: b.kept,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func faulty(t testing.TB, f simulator.Fault) connector.Settings {
	t.Helper()
	return newBooks(t, simulator.Options{Faults: []simulator.Fault{f}}).settings(t, nil)
}

func subject(t *testing.T) connectortest.Subject {
	t.Helper()
	whole := newBooks(t, simulator.Options{})
	return connectortest.Subject{
		Connector: xero.New(),
		Settings:  func(t testing.TB) connector.Settings { return whole.settings(t, nil) },
		Deny: func(t testing.TB, permission string) (connector.Settings, bool) {
			return faulty(t, simulator.Fault{Kind: simulator.FaultDeny, Permission: permission}), true
		},
		Throttle: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultThrottle, Every: 3})
		},
		// The simulator is a custom endpoint; TestBudgetScopes meets the others.
		UnmetScopes: []string{"minute", "day", "app_minute"},
		// The exchange of the refresh token.
		Unmetered: 1,
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject(t))
}

// roundTripper lets a function make requests.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip makes the request.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFaultMatrix has Xero go wrong in every way that connectors have to bear.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	connectortest.RunFaults(t, subject(t), connectortest.Faults{
		Storm: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultThrottle, Every: 2, RetryAfterSeconds: 3})
		},
		Wait: 3 * time.Second,
		Expired: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultExpire, After: 2})
		},
		Changing: func(t testing.TB) connector.Settings {
			b := newBooks(t, simulator.Options{})
			s := b.settings(t, nil)
			var left atomic.Bool
			s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/Users") && !left.Swap(true) {
					b.Leave(0)
				}
				return http.DefaultTransport.RoundTrip(r)
			})}
			return s
		},
		Elsewhere: func(t testing.TB) connector.Settings { return newBooks(t, simulator.Options{Seed: 8}).settings(t, nil) },
		Slow: func(t testing.TB) (connector.Connector, connector.Settings) {
			return xero.NewImpatient(50 * time.Millisecond), faulty(t, simulator.Fault{Kind: simulator.FaultSlow, DelayMilliseconds: 60_000})
		},
		Broken: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultBroken, Every: 3})
		},
	})
}

// read is everything that a session emitted.
type read struct {
	entities   map[connector.Ref]connector.Entity
	edges      map[string]connector.Relationship
	partitions []connector.Partition
	gaps       []connector.Error
}

// Write keeps a page.
func (r *read) Write(_ context.Context, page connector.Page) error {
	for _, e := range page.Entities {
		r.entities[e.Ref] = e
	}
	for _, e := range page.Relationships {
		r.edges[string(e.Kind)+" "+e.From.ID+" "+e.To.ID] = e
	}
	r.gaps = append(r.gaps, page.Gaps...)
	return nil
}

func (r *read) has(kind connector.RelationshipKind, from, to string) bool {
	_, ok := r.edges[string(kind)+" "+strings.ToLower(from)+" "+strings.ToLower(to)]
	return ok
}

func open(t *testing.T, s connector.Settings) connector.Session {
	t.Helper()
	session, err := xero.New().Open(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	return session
}

func discover(t *testing.T, s connector.Settings) *read {
	t.Helper()
	session := open(t, s)
	plan, err := session.Plan(t.Context())
	require.NoError(t, err)
	require.True(t, plan.Complete)
	r := &read{entities: map[connector.Ref]connector.Entity{}, edges: map[string]connector.Relationship{}, partitions: plan.Partitions}
	for _, p := range plan.Partitions {
		if p.Skip == nil {
			require.NoError(t, session.Read(t.Context(), p, "", r))
		}
	}
	return r
}

// TestUsersAreTheEstate compares what was read with the truth that the simulator serves.
func TestUsersAreTheEstate(t *testing.T) {
	t.Parallel()
	b := newBooks(t, simulator.Options{People: 400})
	g := discover(t, b.settings(t, nil))
	require.Empty(t, g.gaps)
	leavers := 0
	for _, o := range b.Organisations() {
		require.Equal(t, o.Name, g.entities[connector.Ref{Kind: connector.CloudAccountBoundary, ID: o.TenantID}].Name)
		users := b.Users(o)
		require.NotEmpty(t, users)
		for _, u := range users {
			account := o.TenantID + "/" + u.UserID
			require.Contains(t, g.entities, connector.Ref{Kind: connector.Account, ID: account})
			require.True(t, g.has(connector.PrincipalRepresentsAccount, "person/"+u.Email, account))
			require.True(t, g.has(connector.BoundaryContains, o.TenantID, account))
			require.Equal(t, u.Role != "REMOVED", g.has(connector.AccountAssignedEntitlement, account, o.TenantID+"/role/"+u.Role))
			require.Equal(t, u.Subscriber, g.has(connector.AccountAssignedEntitlement, account, o.TenantID+"/role/SUBSCRIBER"))
			person := g.entities[connector.Ref{Kind: connector.Principal, ID: "person/" + u.Email}]
			require.Equal(t, []connector.Identifier{{Type: connector.Email, Value: u.Email}}, person.Identifiers)
			if b.Company().Person(u.Person).Left && u.Role != "REMOVED" {
				leavers++
			}
		}
		app := o.TenantID + "/app/" + b.ClientID()
		require.True(t, g.has(connector.AccountAssignedEntitlement, app, o.TenantID+"/scope/accounting.settings.read"))
	}
	require.Positive(t, leavers, "somebody who left still has access")
}

// TestCallsAreTheFewest: one call for each stream of an organisation, however many
// users it has, since Xero has no pages of them; one for the list of organisations,
// and one exchange of the refresh token.
func TestCallsAreTheFewest(t *testing.T) {
	t.Parallel()
	b := newBooks(t, simulator.Options{People: 6000})
	discover(t, b.settings(t, nil))
	users := 0
	for _, o := range b.Organisations() {
		users += len(b.Users(o))
	}
	require.Greater(t, users, 2000)
	n := len(b.Organisations())
	require.Equal(t, map[string]int{"identity:token": 1, "api:connections": 1, "api:Organisation": n, "api:Users": n}, b.Requests())
	b.ResetRequests()
	result, err := open(t, b.settings(t, nil)).(connector.IdentifyingSession).Identify(t.Context())
	require.NoError(t, err)
	require.Equal(t, "consent", result.Target.Type)
	require.Equal(t, map[string]int{"identity:token": 1, "api:connections": 1}, b.Requests())
}

// TestTargets: one organisation in scope is what is reached; of several it is the
// consent, and what the scope names and the app is not connected to is skipped.
func TestTargets(t *testing.T) {
	t.Parallel()
	b := newBooks(t, simulator.Options{})
	first := b.Organisations()[0]
	s := b.settings(t, nil)
	s.Scope = []byte(`{"tenant_ids":["` + first.TenantID + `"]}`)
	result, err := open(t, s).Check(t.Context())
	require.NoError(t, err)
	require.True(t, result.Sufficient)
	require.Equal(t, connector.Target{ID: first.TenantID, Name: first.Name, Type: "organisation"}, result.Target)

	const absent = "11111111-2222-3333-4444-555555555555"
	s.Scope = []byte(`{"tenant_ids":["` + first.TenantID + `","` + absent + `"]}`)
	result, err = open(t, s).Check(t.Context())
	require.NoError(t, err)
	require.False(t, result.Sufficient)
	require.Contains(t, result.Remediation[0].Message, absent)
	skipped := 0
	for _, p := range discover(t, s).partitions {
		if p.Skip != nil {
			require.Equal(t, absent, p.Key)
			skipped++
		}
	}
	require.Equal(t, 2, skipped)
	s.Scope = []byte(`{"tenant_ids":["` + absent + `"]}`)
	_, err = open(t, s).Check(t.Context())
	require.Equal(t, connector.ConsentRequired, connector.AsError(err).Category)

	custom := b.settings(t, map[string]any{"auth_mode": "client_credentials"})
	custom.Credentials = nil
	result, err = open(t, custom).Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, first.TenantID, result.Target.ID)
	require.Equal(t, b.ClientID(), result.ActsAs)
}

// TestRefreshTokensAreUsedOnce: each exchange gives the next; one that was exchanged is
// taken within the grace for a lost answer, and refused for good after it.
func TestRefreshTokensAreUsedOnce(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Unix())
	b := newBooks(t, simulator.Options{Clock: func() time.Time { return time.Unix(clock.Load(), 0) }})
	first := b.kept.Secret()
	check := func() error {
		_, err := open(t, b.settings(t, nil)).Check(t.Context())
		return err
	}
	require.NoError(t, check())
	require.NotEqual(t, first, b.kept.Secret())
	b.kept = connectortest.NewCredentials(first) // the answer was lost
	clock.Add(int64((simulator.RefreshGrace - time.Minute).Seconds()))
	require.NoError(t, check(), "within the grace")
	b.kept = connectortest.NewCredentials(first)
	clock.Add(120)
	err := check()
	require.Equal(t, connector.CredentialExpired, connector.AsError(err).Category, "%v", err)
	require.True(t, b.kept.Refused())
	require.NotContains(t, err.Error(), first)
	b.kept = connectortest.NewCredentials(b.SignIn())
	require.NoError(t, check())
}

// TestRefusalsAreNamed goes through what makes a check or a read end.
func TestRefusalsAreNamed(t *testing.T) {
	t.Parallel()
	b := newBooks(t, simulator.Options{})
	_, err := open(t, b.settings(t, map[string]any{"client_secret": "wrong"})).Check(t.Context())
	require.Equal(t, connector.CredentialInvalid, connector.AsError(err).Category)
	require.False(t, b.kept.Refused(), "a wrong secret of the app says nothing of the refresh token")
	none := b.settings(t, nil)
	none.Credentials = nil
	_, err = open(t, none).Check(t.Context())
	require.Equal(t, connector.CredentialInvalid, connector.AsError(err).Category)
	for kind, category := range map[string]connector.Category{simulator.FaultUnavailable: connector.ProviderUnavailable, simulator.FaultExpire: connector.CredentialExpired} {
		_, err = open(t, faulty(t, simulator.Fault{Kind: kind})).Check(t.Context())
		require.Equal(t, category, connector.AsError(err).Category, "%v", err)
	}
	gone := newBooks(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultDisconnect, Operation: "api:Users"}}})
	require.Len(t, discover(t, gone.settings(t, nil)).gaps, 3, "an organisation that is not connected any more is not taken to be empty")
}

// noted is a budget that allows everything and notes of what.
type noted struct {
	connector.Unlimited
	mu        sync.Mutex
	taken     map[string]int
	throttled []string
}

// Take notes what is taken.
func (n *noted) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range uses {
		n.taken[u.Scope+" "+strings.Join(u.Key, " ")] += u.Cost()
	}
	return n.Unlimited.Take(ctx, uses...)
}

// Throttled notes whose limit was met.
func (n *noted) Throttled(_ context.Context, _ time.Duration, uses ...connector.Use) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range uses {
		n.throttled = append(n.throttled, u.Scope)
	}
}

// Calls of Xero's own hosts take from the budgets of app and organisation, and a
// refusal stops the one that it names.
func TestBudgetScopes(t *testing.T) {
	t.Parallel()
	b := newBooks(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultThrottle, Operation: "api:Users", After: 1, Problem: "day", RetryAfterSeconds: 7200}}})
	to, err := url.Parse(b.url)
	require.NoError(t, err)
	s := b.settings(t, map[string]any{"endpoint_url": ""})
	budget := &noted{taken: map[string]int{}}
	s.Budget = budget
	s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		require.Contains(t, []string{"https://identity.xero.com", "https://api.xero.com"}, r.URL.Scheme+"://"+r.URL.Host)
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
		return http.DefaultTransport.RoundTrip(r)
	})}
	_, err = open(t, s).Check(t.Context())
	e := connector.AsError(err)
	require.Equal(t, connector.Throttled, e.Category)
	require.Equal(t, 2*time.Hour, e.RetryAfter)
	require.Equal(t, []string{"day"}, budget.throttled)
	app := b.ClientID()
	require.Equal(t, 5, budget.taken["app_minute "+app], "%v", budget.taken)
	for _, scope := range []string{"minute", "day"} {
		asked := 0
		for _, o := range b.Organisations() {
			asked += budget.taken[scope+" "+app+" "+o.TenantID]
		}
		require.Equal(t, 4, asked, "but the list of organisations, which is of none: %v", budget.taken)
	}
}

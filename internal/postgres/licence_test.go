package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/builtin"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// licensed is a data plane whose licence can be replaced.
type licensed struct {
	*plane
	adminURL string
	licences *licence.Service
	// reader is another service's view of the licence.
	reader    *postgres.Licences
	discovery *postgres.DB
	gate      *run.Gate
	runs      *postgres.Runs
	public    licence.PublicKey
	signing   licence.SigningKey
	issued    int
}

func newLicensed(t *testing.T) *licensed {
	t.Helper()
	d := databases.New(t)
	open := func(role string) *postgres.DB {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: d.URL(role), Service: "test", MaxConns: 12})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		return db
	}
	integrations, workspaces := open("svc_integration"), open("svc_workspace")
	l := &licensed{
		plane: &plane{
			super: d.SuperuserPool(), workspaces: postgres.NewWorkspaces(workspaces), connections: postgres.NewConnections(integrations),
			keyring: postgres.NewKeyring(integrations),
		},
		adminURL: d.SuperuserURL(), reader: postgres.NewLicences(integrations), discovery: open("svc_discovery"),
		licences: &licence.Service{Store: postgres.NewLicences(workspaces)},
	}
	var err error
	l.catalog, err = integration.NewCatalog(builtin.Connectors())
	require.NoError(t, err)
	require.NoError(t, postgres.NewIntegrations(integrations).SyncCatalog(t.Context(), l.catalog))
	l.a, _, err = workspace.Bootstrap(t.Context(), l.workspaces, 1, "Contoso", "first")
	require.NoError(t, err)
	l.register(t, keyring.Key{Wrapper: "local", ID: "local:1"})
	l.b = id.Scope{Tenant: 1}
	require.NoError(t, l.super.QueryRow(t.Context(), `insert into workspaces (name) values ('second') returning workspace_id`).Scan(&l.b.Workspace))
	l.runs = postgres.NewRuns(l.discovery, 1, l.catalog, (&queue{}).jobs())
	l.gate = &run.Gate{
		Connections: postgres.NewConnections(l.discovery), Catalog: l.catalog, Store: l.runs, Licence: postgres.NewLicences(l.discovery),
	}
	l.public, l.signing = newLicenceKey(t)
	require.NoError(t, postgres.TrustLicenceKeys(t.Context(), l.adminURL, []licence.PublicKey{l.public}))
	return l
}

func newLicenceKey(t *testing.T) (licence.PublicKey, licence.SigningKey) {
	t.Helper()
	text, public, err := licence.NewKey("licences.example.com")
	require.NoError(t, err)
	signing, err := licence.ParseSigningKey(text.RevealString())
	require.NoError(t, err)
	return public, signing
}

// draft is a licence for aws, issued after those before it, good for an hour by
// the database's clock.
func (l *licensed) licence(t *testing.T, change func(*licence.Licence)) string {
	t.Helper()
	var now time.Time
	require.NoError(t, l.super.QueryRow(t.Context(), "select clock_timestamp()").Scan(&now))
	l.issued++
	end := now.Add(time.Hour)
	made := licence.Licence{
		ID: "lic-1", Tenant: 1, Licensee: "Contoso", Integrations: []integration.ID{"aws"}, IssuedAt: now.Add(time.Duration(l.issued) * time.Second),
		NotBefore: now.Add(-time.Hour), ExpiresAt: &end,
	}
	change(&made)
	text, err := licence.Sign(made, l.signing)
	require.NoError(t, err)
	return text
}

func (l *licensed) admin() workspace.Caller {
	return workspace.Caller{Scope: l.a, Member: 1, Role: workspace.TenantAdmin}
}

func (l *licensed) builder(scope id.Scope) workspace.Caller {
	return workspace.Caller{Scope: scope, Role: workspace.ConnectorBuilder}
}

func (l *licensed) install(t *testing.T, change func(*licence.Licence)) {
	t.Helper()
	_, _, err := l.licences.Install(t.Context(), l.admin(), l.licence(t, change))
	require.NoError(t, err)
}

// expire lets the installed licence end by moving when it was good: it is signed
// anew, because nobody may change the database's clock.
func (l *licensed) expire(t *testing.T) {
	t.Helper()
	text := l.licence(t, func(made *licence.Licence) {
		past := made.NotBefore.Add(time.Minute)
		made.ExpiresAt = &past
	})
	_, err := l.super.Exec(t.Context(), "insert into licences (document, installed_by) values ($1, 'mem_1')", text)
	require.NoError(t, err)
}

func (l *licensed) tryCreate(t *testing.T, scope id.Scope, name string) error {
	c, sealed := l.draft(t, scope, name)
	_, err := l.connections.Create(t.Context(), connection.Creation{Connection: c, Sealed: sealed}, event(audit.ConnectionCreated))
	return err
}

func limitOf(n int64) func(*licence.Licence) {
	return func(l *licence.Licence) { l.Limits.Connections = &n }
}

func TestInstalledLicenceCountsAtOnceAndIsRecorded(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	s, err := l.reader.Standing(t.Context())
	require.NoError(t, err)
	require.Equal(t, licence.BuiltIn, s.State)

	installed, use, err := l.licences.Install(t.Context(), l.admin(), l.licence(t, limitOf(7)))
	require.NoError(t, err)
	require.Equal(t, licence.Valid, installed.State)
	require.Equal(t, &licence.Use{Workspaces: 2}, use)
	s, err = l.reader.Standing(t.Context())
	require.NoError(t, err)
	require.Equal(t, installed, s, "another service sees the same, without a restart")
	require.Equal(t, "mem_1", s.InstalledBy)

	records, err := l.workspaces.ListEvents(t.Context(), l.a, audit.Filter{Action: audit.LicenceInstalled}, 0, 10)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, "lic-1", records[0].TargetID)
	require.Contains(t, string(records[0].Payload), `"connections": 7`)
	require.Equal(t, audit.Member(1), records[0].Actor)
}

func TestRefusedLicenceLeavesTheFormerInForce(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	l.install(t, limitOf(7))
	before, err := l.reader.Standing(t.Context())
	require.NoError(t, err)
	good := l.licence(t, limitOf(9))
	_, stranger := newLicenceKey(t)
	mine := l.signing
	l.signing = stranger
	forged := l.licence(t, limitOf(9))
	l.signing = mine
	for name, text := range map[string]string{
		"altered": good[:40] + "x" + good[41:], "cut off": good[:len(good)-20], "forged": forged,
		"other tenant":  l.licence(t, func(made *licence.Licence) { made.Tenant = 2 }),
		"not yet valid": l.licence(t, func(made *licence.Licence) { made.NotBefore = made.ExpiresAt.Add(-time.Minute) }),
		"expired":       l.licence(t, func(made *licence.Licence) { end := made.NotBefore.Add(time.Minute); made.ExpiresAt = &end }),
		"older":         l.licence(t, func(made *licence.Licence) { made.IssuedAt = made.NotBefore }),
	} {
		_, _, err := l.licences.Install(t.Context(), l.admin(), text)
		require.ErrorContains(t, err, "the licence is refused", name)
		now, err := l.reader.Standing(t.Context())
		require.NoError(t, err)
		require.Equal(t, before, now, name)
	}
	require.Equal(t, 1, l.count(t, "audit_events where action = 'licence_installed'"))
	for _, role := range []workspace.Role{workspace.Viewer, workspace.ConnectorBuilder, workspace.Admin} {
		_, _, err := l.licences.Install(t.Context(), workspace.Caller{Scope: l.a, Role: role}, good)
		require.Equal(t, fault.Forbidden, fault.KindOf(err), role)
		_, use, err := l.licences.Show(t.Context(), workspace.Caller{Scope: l.a, Role: role})
		require.NoError(t, err)
		require.Nil(t, use, "%s is not told of other workspaces", role)
	}
}

// Creates in two workspaces, with as many connections at once as the pool has.
func TestLimitHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	const limit, tries = 5, 24
	l.install(t, limitOf(limit))
	var wg sync.WaitGroup
	errs := make([]error, tries)
	for i := range tries {
		wg.Go(func() { errs[i] = l.tryCreate(t, []id.Scope{l.a, l.b}[i%2], "connection "+string(rune('a'+i))) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
		require.ErrorContains(t, err, "allows 5 connections in all workspaces")
	}
	require.Equal(t, limit, made)
	require.Equal(t, limit, l.count(t, "connections"))
	require.Equal(t, limit, l.count(t, "audit_events where action = 'connection_created'"))

	// One that is deleted makes room for one.
	var deleted id.Connection
	var scope id.Scope
	require.NoError(t, l.super.QueryRow(t.Context(), "select tenant_id, workspace_id, connection_id from connections limit 1").Scan(&scope.Tenant, &scope.Workspace, &deleted))
	require.NoError(t, l.connections.Delete(t.Context(), scope, deleted, nil, event(audit.ConnectionDeleted)))
	require.NoError(t, l.tryCreate(t, l.b, "one more"))
	require.Error(t, l.tryCreate(t, l.b, "one too many"))
}

// Installs that race leave one in force, and it is the newest.
func TestInstallsThatRaceLeaveTheNewestInForce(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	var texts []string
	for i := range int64(8) {
		texts = append(texts, l.licence(t, limitOf(i)))
	}
	var wg sync.WaitGroup
	for _, text := range texts {
		wg.Go(func() {
			if _, _, err := l.licences.Install(t.Context(), l.admin(), text); err != nil {
				require.Equal(t, fault.Conflict, fault.KindOf(err))
			}
		})
	}
	wg.Wait()
	s, err := l.reader.Standing(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 7, *s.Limits().Connections)
}

// What is there stays usable in every way but starting.
func TestUnlicensedStartsAreBlockedAndRecorded(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	conn := l.create(t, l.a, "Prod AWS")
	l.install(t, func(made *licence.Licence) { made.Integrations = []integration.ID{"xero"} })
	require.Equal(t, fault.Forbidden, fault.KindOf(l.tryCreate(t, l.a, "second")))
	for _, op := range []operation.Type{operation.DiscoveryRun, operation.ConnectionTest} {
		got, err := l.gate.Start(t.Context(), l.builder(l.a), run.StartRequest{Operation: op, Connection: conn.ID})
		require.NoError(t, err)
		require.Equal(t, run.StartBlocked, got.Status)
		require.Equal(t, operation.IntegrationNotLicensed, got.Reason)
		require.Contains(t, got.Message, "licence lic-1 does not include the integration aws")
		require.Equal(t, "/v1/licence", got.NextSteps[0].Href)
		require.Equal(t, run.Blocked, got.Run.Outcome)
		require.Equal(t, operation.IntegrationNotLicensed, got.Run.Reason)
		require.Contains(t, string(got.Run.Context), "does not include the integration aws")
	}
	require.Equal(t, 2, l.count(t, "audit_events where action = 'run_blocked' and payload ->> 'reason_code' = 'integration_not_licensed'"))

	name := "Renamed"
	service := &connection.Service{Store: l.connections, Catalog: l.catalog}
	found, err := service.Get(t.Context(), l.builder(l.a), conn.ID)
	require.NoError(t, err)
	found.Name, found.Version = name, 2
	_, sealed := l.draft(t, l.a, name)
	_, err = l.connections.Update(t.Context(), connection.Change{Connection: found, Was: 1, Sealed: sealed}, event(audit.ConnectionEdited))
	require.NoError(t, err, "edits go on")
	require.NoError(t, l.connections.Delete(t.Context(), l.a, conn.ID, nil, event(audit.ConnectionDeleted)), "and so do deletions")
}

func TestScheduleOfAnUnlicensedConnectionIsBlockedNotSkipped(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	conn := l.create(t, l.a, "Prod AWS")
	l.expire(t)
	_, err := l.super.Exec(t.Context(), "update connections set next_run_at = now() - interval '1 day'")
	require.NoError(t, err)
	keeper := &run.Keeper{Store: l.runs, Gate: l.gate}
	started, err := keeper.StartDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, started)
	runs, err := l.runs.List(t.Context(), l.a, run.Filter{Connection: conn.ID, Limit: 10})
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.Equal(t, run.Blocked, runs[0].Outcome)
	require.Equal(t, operation.IntegrationNotLicensed, runs[0].Reason)
	require.Equal(t, run.BySchedule, runs[0].Initiator)
	require.Zero(t, l.count(t, "connections where next_run_at < now()"), "it is due again at its next time, and not in a moment")
}

// A start that was put off until the running one ends is asked about anew.
func TestFollowingRunIsBlockedWhenTheLicenceHasEnded(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	conn := l.create(t, l.a, "Prod AWS")
	d := &discovery{super: l.super, db: l.discovery, runs: l.runs}
	h := d.begin(t, l.a, conn.ID)
	require.Equal(t, run.Deduped, d.admit(t, admission(l.a, conn.ID)).Status)
	l.expire(t)
	_, err := l.runs.Fail(t.Context(), h.fence, run.Ending{Outcome: run.Failed, Reason: operation.Internal, By: audit.Worker("w")})
	require.NoError(t, err, "what is under way may end")
	d.claimNothing(t)
	runs, err := l.runs.List(t.Context(), l.a, run.Filter{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, operation.IntegrationNotLicensed, runs[0].Reason)
}

func TestKeysFitTheLicenceInForce(t *testing.T) {
	t.Parallel()
	l := newLicensed(t)
	l.install(t, limitOf(7))
	next, nextSigning := newLicenceKey(t)
	trust := func(keys ...licence.PublicKey) error { return postgres.TrustLicenceKeys(t.Context(), l.adminURL, keys) }
	require.ErrorContains(t, trust(next), "these keys do not fit the licence in force")
	require.NoError(t, trust(l.public, next))
	l.signing = nextSigning
	l.install(t, limitOf(8))
	require.NoError(t, trust(next, next))
	require.Equal(t, 1, l.count(t, "licence_keys"))
	s, err := l.reader.Standing(t.Context())
	require.NoError(t, err)
	require.Equal(t, licence.Valid, s.State)
}

// No service can make itself trust a key, replace or remove a licence behind
// the workspaces service's back.
func TestServicesCannotChangeWhatIsTrusted(t *testing.T) {
	t.Parallel()
	d := databases.New(t)
	pools := map[string]*pgxpool.Pool{}
	for _, role := range postgres.ServiceRoles() {
		pools[role] = d.Pool(role)
	}
	for role, pool := range pools {
		for _, statement := range []string{
			"insert into licence_keys (verifier) values ('x')", "delete from licence_keys", "update licence_keys set verifier = 'x'",
			"update licences set document = 'x'", "delete from licences", "insert into licences (document, installed_by, installed_at) values ('x', 'x', 'epoch')",
		} {
			_, err := pool.Exec(t.Context(), statement)
			require.ErrorContains(t, err, "permission denied", "%s: %s", role, statement)
		}
		_, err := pool.Exec(t.Context(), "insert into licences (document, installed_by) values ('x', 'x')")
		require.Equal(t, role == postgres.RoleWorkspaces, err == nil, role)
	}
}

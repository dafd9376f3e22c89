package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// allActions are all constants of the domain, read from its source, so that a new
// one cannot be forgotten.
func allActions(t *testing.T) (found []audit.Action) {
	t.Helper()
	files, err := filepath.Glob("../audit/*.go")
	require.NoError(t, err)
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Action" {
					literal, ok := spec.Values[0].(*ast.BasicLit)
					require.True(t, ok)
					text, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					found = append(found, audit.Action(text))
				}
			}
			return true
		})
	}
	require.Greater(t, len(found), 35)
	return found
}

// shownElsewhere are the actions whose events other tests count.
func shownElsewhere() map[audit.Action]string {
	const property, onboarding, exports = "TestEachChangeHasExactlyOneEvent", "TestOnboardingNeedsItsEvents", "TestExportsNeedTheirEvents"
	const renewals = "TestRenewalsNeedTheirEvents in internal/app"
	return map[audit.Action]string{
		audit.ConnectionCreated: property, audit.ConnectionEdited: property, audit.ConnectionDeleted: property, audit.ConnectionTested: property,
		audit.ConfigurationDisclosed: property, audit.RunAccepted: property, audit.RunBlocked: property, audit.RunStarted: property,
		audit.RunSucceeded: property, audit.RunPartiallySucceeded: property, audit.RunFailed: property, audit.RunCancelRequested: property,
		audit.RunCancelled:        property,
		audit.CredentialDisclosed: renewals, audit.CredentialRenewed: renewals, audit.CredentialRefused: renewals,
		audit.OnboardingStarted: onboarding, audit.OnboardingConnectionPicked: onboarding, audit.OnboardingVerificationStarted: onboarding,
		audit.OnboardingBootstrapStarted: onboarding, audit.OnboardingResumed: onboarding, audit.OnboardingStopped: onboarding,
		audit.OnboardingCompleted: onboarding, audit.OnboardingAbandoned: onboarding,
		audit.RunsRemoved: "TestOldRunsGoWithTheirEvent", audit.HistoryRemoved: "TestHistoryIsRemovedWithItsEvent",
		audit.ExportRequested: exports, audit.ExportCompleted: exports, audit.ExportFailed: exports, audit.ExportCancelled: exports,
		audit.ExportDownloaded: exports, audit.ExportDeleted: exports,
		audit.AuditExported: "TestUnrecordedExportDoesNotHappen in internal/app",
		audit.AccessDenied:  "TestADenialStaysOneWithoutItsEvent in internal/api",
	}
}

// deed is an action that can be attempted again after it failed.
type deed struct {
	action audit.Action
	in     *pgxpool.Pool
	do     func() error
	// refuses says that the deed is a refusal, which is an error in any case.
	refuses bool
}

// Each action on people, workspaces, keys and licences fails and leaves nothing
// when its event cannot be written, and once it can, succeeds with one event.
func TestEveryActionNeedsItsEvent(t *testing.T) {
	t.Parallel()
	p, l := newPeople(t), newLicensed(t)
	seen := map[audit.Action]string{}
	for _, d := range slices.Concat(peopleDeeds(t, p), webhookDeeds(t, p.plane), operatorDeeds(t, p.plane, l), identityDeeds(t)) {
		before, events := stateOf(t, d.in), eventsOf(t, d.in)
		execOn(t, d.in, "alter table audit_events add constraint refused check (false) not valid")
		require.Error(t, d.do(), "%s happened without its event", d.action)
		require.Equal(t, before, stateOf(t, d.in), "%s left something without its event", d.action)
		require.Equal(t, events, eventsOf(t, d.in))
		execOn(t, d.in, "alter table audit_events drop constraint refused")

		err := d.do()
		require.Equal(t, d.refuses, err != nil, "%s: %v", d.action, err)
		after := eventsOf(t, d.in)
		require.Equal(t, events[d.action]+1, after[d.action], "%s has one event", d.action)
		seen[d.action] = "this test"
	}
	for action, where := range shownElsewhere() {
		require.NotContains(t, seen, action, "it is shown here, not by %s", where)
		seen[action] = where
	}
	for _, action := range allActions(t) {
		require.Contains(t, seen, action, "no test shows that %s needs its event", action)
	}
}

func peopleDeeds(t *testing.T, p *people) []deed {
	ctx := t.Context()
	var (
		key     workspace.Key
		invited workspace.Invitation
		mapping workspace.ClaimMapping
		alice   workspace.SignIn
		made    workspace.Workspace
	)
	// Each in turn: what it needs, those before it made.
	member := func() id.Member { return p.mustBe(t, alice, p.a.Workspace.String()).Member }
	joining, again := p.directory.issue("alice", "alice@example.com"), p.directory.issue("alice", "alice@example.com")
	owner, renamed := p.directory.issue("carol", "carol@example.com"), p.directory.issue("carol", "carol.jones@example.com")
	stranger := p.directory.issue("mallory", "mallory@example.com")
	one := func(action audit.Action, do func() error) deed { return deed{action: action, in: p.super, do: do} }
	return []deed{
		one(audit.APIKeyCreated, func() (err error) {
			key, _, err = p.service.CreateKey(ctx, p.admin, "ci", workspace.Viewer, nil)
			return err
		}),
		one(audit.APIKeyRevoked, func() error { return p.service.RevokeKey(ctx, p.admin, key.ID) }),
		one(audit.MemberInvited, func() (err error) {
			invited, err = p.service.Invite(ctx, p.admin, "bob@example.com", workspace.Viewer, invited.ExpiresAt)
			return err
		}),
		one(audit.InvitationRevoked, func() error { return p.service.RevokeInvitation(ctx, p.admin, invited.ID) }),
		one(audit.MemberInvited, func() (err error) {
			_, err = p.service.Invite(ctx, p.admin, "alice@example.com", workspace.Viewer, invited.ExpiresAt.AddDate(0, 0, 1))
			return err
		}),
		one(audit.MemberJoined, func() (err error) {
			alice, err = p.service.SignIn(ctx, joining, "")
			return err
		}),
		one(audit.SignedIn, func() (err error) {
			alice, err = p.service.SignIn(ctx, again, "")
			return err
		}),
		{action: audit.SignInRefused, in: p.super, refuses: true, do: func() error {
			_, err := p.service.SignIn(ctx, stranger, "")
			return err
		}},
		one(audit.MemberRoleChanged, func() error {
			_, err := p.service.SetRole(ctx, p.admin, member(), workspace.ConnectorBuilder)
			return err
		}),
		one(audit.ClaimMappingCreated, func() (err error) {
			mapping, err = p.service.CreateMapping(ctx, p.admin, "groups", "builders", workspace.ConnectorBuilder)
			return err
		}),
		one(audit.ClaimMappingDeleted, func() error { return p.service.DeleteMapping(ctx, p.admin, mapping.ID) }),
		one(audit.MemberRemoved, func() error { return p.service.RemoveMember(ctx, p.admin, member()) }),
		one(audit.SignedOut, func() error {
			return p.service.SignOut(ctx, p.mustBe(t, alice, ""), false)
		}),
		one(audit.WorkspaceCreated, func() (err error) {
			made, _, err = p.service.CreateWorkspace(ctx, p.tenant, "third", "")
			return err
		}),
		one(audit.MemberInvited, func() error {
			_, err := p.service.Transfer(ctx, p.tenant, made.ID, 0, "carol@example.com")
			return err
		}),
		one(audit.WorkspaceTransferred, func() error {
			_, err := p.service.SignIn(ctx, owner, "")
			return err
		}),
		one(audit.MemberInvited, func() error {
			_, err := p.service.Transfer(ctx, p.tenant, made.ID, 0, "carol.jones@example.com")
			return err
		}),
		one(audit.InvitationAccepted, func() error {
			_, err := p.service.SignIn(ctx, renamed, "")
			return err
		}),
		one(audit.WorkspaceArchived, func() error {
			_, err := p.service.Archive(ctx, p.tenant, made.ID)
			return err
		}),
		one(audit.WorkspaceUnarchived, func() error {
			_, err := p.service.Unarchive(ctx, p.tenant, made.ID)
			return err
		}),
		one(audit.WorkspacesListed, func() error {
			_, err := p.service.Workspaces(ctx, p.tenant, 0, 10)
			return err
		}),
		one(audit.AuditEventsRead, func() error {
			_, err := p.service.AsAuditor(ctx, p.tenant, p.a.Workspace)
			return err
		}),
	}
}

func operatorDeeds(t *testing.T, p *plane, l *licensed) []deed {
	ctx := t.Context()
	old, next := keyring.Key{Wrapper: "local", ID: "local:1"}, keyring.Key{Wrapper: "local", ID: "local:2"}
	conn := p.create(t, p.a, "rewrapped")
	document := l.licence(t, func(*licence.Licence) {})
	failing := l.create(t, l.a, "failing").ID
	fail := func() error {
		a := admission(l.a, failing)
		a.Initiator = run.BySchedule
		_, err := l.runs.Block(ctx, a, operation.CredentialMissing, event(audit.RunBlocked))
		return err
	}
	for range connection.FailuresToPause - 1 {
		require.NoError(t, fail())
	}
	throttling := &budget.Service{Store: postgres.NewBudgets(l.discovery), Catalog: l.catalog}
	lambda := budget.ScopeID{Integration: "aws", Scope: "lambda"}
	return []deed{
		{action: audit.EncryptionKeyRegistered, in: p.super, do: func() error {
			return keyring.Use(ctx, p.keyring, next, nil, func(keyring.Key) bool { return true }, audit.System("test"))
		}},
		{action: audit.CredentialsRewrapped, in: p.super, do: func() error {
			rewrapped := event(audit.CredentialsRewrapped)
			rewrapped.Payload = map[string]any{}
			_, err := p.keyring.Move(ctx, p.a, next, []keyring.Rewrapped{{Connection: conn.ID, Was: []byte("wrapped"), Wrapped: []byte("wrapped anew")}}, rewrapped)
			return err
		}},
		{action: audit.EncryptionKeyRetired, in: p.super, do: func() error { return p.keyring.Retire(ctx, old, event(audit.EncryptionKeyRetired)) }},
		{action: audit.LicenceInstalled, in: l.super, do: func() error {
			_, _, err := l.licences.Install(ctx, l.admin(), document)
			return err
		}},
		{action: audit.SchedulePaused, in: l.super, do: fail},
		{action: audit.ScheduleResumed, in: l.super, do: func() error {
			_, err := l.connections.ResumeSchedule(ctx, l.a, failing, event(audit.ScheduleResumed))
			return err
		}},
		{action: audit.ThrottleLimitSet, in: l.super, do: func() error {
			_, err := throttling.SetLimit(ctx, l.admin(), lambda, connector.ThrottleLimit{Calls: 1, PerSeconds: 1, Burst: 1})
			return err
		}},
		{action: audit.ThrottleLimitCleared, in: l.super, do: func() error { return throttling.ClearLimit(ctx, l.admin(), lambda) }},
	}
}

func execOn(t *testing.T, db *pgxpool.Pool, sql string) {
	t.Helper()
	_, err := db.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// eventsOf counts events by action.
func eventsOf(t *testing.T, db *pgxpool.Pool) map[audit.Action]int {
	t.Helper()
	rows, err := db.Query(t.Context(), "select action, count(*)::int from audit_events group by action")
	require.NoError(t, err)
	counts := map[audit.Action]int{}
	var action audit.Action
	var n int
	_, err = pgx.ForEachRow(rows, []any{&action, &n}, func() error {
		counts[action] = n
		return nil
	})
	require.NoError(t, err)
	return counts
}

// stateOf is every row of every table but the events, as text. When a credential
// was last used is no change.
func stateOf(t *testing.T, db *pgxpool.Pool) map[string]string {
	t.Helper()
	rows, err := db.Query(t.Context(), "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'audit_events'")
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Contains(t, tables, "members")
	state := map[string]string{}
	for _, table := range tables {
		var text string
		err := db.QueryRow(t.Context(), "select coalesce(string_agg((to_jsonb(t) - 'last_used_at')::text, ' ' order by (to_jsonb(t) - 'last_used_at')::text), '') from "+
			pgx.Identifier{table}.Sanitize()+" t").Scan(&text)
		require.NoError(t, err)
		state[table] = text
	}
	return state
}

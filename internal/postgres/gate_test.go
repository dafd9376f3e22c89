package postgres_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// offering is a connector that offers some operations and is never opened.
type offering struct {
	connector.Connector
	manifest connector.Manifest
}

func (o offering) Manifest() connector.Manifest { return o.manifest }

// offers describes a connector whose configuration needs one secret.
func offers(integrationID string, operations ...operation.Type) offering {
	m := graphConnector{}.Manifest()
	m.IntegrationID, m.ConnectorID, m.Operations = integrationID, integrationID+"-connector", nil
	m.Configuration = []byte(`{"type": "object", "additionalProperties": false, "required": ["secret"], "properties": {"secret": {"type": "string", "writeOnly": true}}}`)
	for _, o := range operations {
		m.Operations = append(m.Operations, string(o))
	}
	return offering{manifest: m}
}

// gated is a gate on a real data plane with integrations that offer more and less.
type gated struct {
	*discovery
	gate   *run.Gate
	caller workspace.Caller
}

func newGated(t *testing.T) *gated {
	t.Helper()
	d := newDiscovery(t)
	all := make([]operation.Type, 0, len(operation.All()))
	for _, o := range operation.All() {
		all = append(all, o.Type)
	}
	catalog, err := integration.NewCatalog([]connector.Connector{
		offers("aws", operation.ConnectionTest, operation.DiscoveryRun), offers("other", operation.ConnectionTest, operation.DiscoveryRun),
		offers("microsoft", all...),
	})
	require.NoError(t, err)
	for _, name := range []string{"other", "microsoft"} {
		d.exec(t, `insert into integrations (integration_id, name, connector_id, connector_version, connector_type, provider_system,
			required_permissions, emits_entities, emits_relationships, limits_blind_spots, supports_test, manifest)
			values ($1, $1, $1, '1', 'cloud', 'entra', '[]', '[]', '[]', '[]', true, '{}')`, name)
	}
	g := &gated{discovery: d, caller: workspace.Caller{Scope: d.scope, Role: workspace.Admin}}
	require.NoError(t, d.super.QueryRow(t.Context(), `insert into members (workspace_id, kind, name, role) values ($1, 'api_key', 'Ada', 'admin') returning member_id`,
		d.scope.Workspace).Scan(&g.caller.Member))
	g.gate = &run.Gate{Connections: postgres.NewConnections(d.db), Catalog: catalog, Store: d.runs, Licence: postgres.NewLicences(d.db)}
	return g
}

// install makes a connection of an integration that has its credentials and, with a
// target, reaches it by default.
func (g *gated) install(t *testing.T, integrationID string, target id.Target) id.Connection {
	t.Helper()
	c := g.connect(t, g.scope)
	g.exec(t, `update connections set integration_id = $2, secret_fields = '{secret}', credential_type = 'secret' where connection_id = $1`, c, integrationID)
	if target != 0 {
		g.exec(t, `update connections set target_id = $2, is_default = true where connection_id = $1`, c, target)
	}
	return c
}

func (g *gated) target(t *testing.T, name string) (target id.Target) {
	t.Helper()
	require.NoError(t, g.super.QueryRow(t.Context(), `insert into targets (workspace_id, provider_system, provider_target_id, target_type, name)
		values ($1, 'entra', gen_random_uuid(), 'organization', $2) returning target_id`, g.scope.Workspace, name).Scan(&target))
	return target
}

func (g *gated) start(t *testing.T, req run.StartRequest) run.StartResult {
	t.Helper()
	result, err := g.gate.Start(t.Context(), g.caller, req)
	require.NoError(t, err)
	return result
}

func (g *gated) refuse(t *testing.T, kind fault.Kind, field string, req run.StartRequest) string {
	t.Helper()
	before := g.number(t, `select count(*) from runs`)
	_, err := g.gate.Start(t.Context(), g.caller, req)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
	f, _ := fault.As(err)
	if field != "" {
		require.Len(t, f.Fields, 1)
		require.Equal(t, field, f.Fields[0].Path)
	}
	require.Equal(t, before, g.number(t, `select count(*) from runs`), "a request that makes no sense leaves no run")
	return err.Error()
}

// The connection of a start that names none, by what the target has.
func TestTargetsDefaultConnectionIsUsed(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	target := g.target(t, "Contoso")
	discover := run.StartRequest{Operation: operation.DiscoveryRun, Target: target}
	with := func(req run.StartRequest, i integration.ID) run.StartRequest {
		req.Integration = i
		return req
	}

	none := g.start(t, discover)
	require.Equal(t, run.StartBlocked, none.Status)
	require.Equal(t, operation.ConnectionMissing, none.Reason)
	require.Equal(t, target, none.Run.Target)
	require.Nil(t, none.Connection)
	g.refuse(t, fault.NotFound, "", run.StartRequest{Operation: operation.DiscoveryRun, Target: target + 1000})

	// A connection of the target that is not its default is not taken by chance.
	plain := g.install(t, "aws", 0)
	g.exec(t, `update connections set target_id = $2 where connection_id = $1`, plain, target)
	require.Equal(t, operation.ConnectionMissing, g.start(t, discover).Reason)

	aws := g.install(t, "aws", target)
	only := g.start(t, discover)
	require.Equal(t, run.Accepted, only.Status)
	require.Equal(t, aws, only.Connection.ID)
	g.cancel(t, only.Run)

	// Of several defaults, the one that offers the operation; of several that do,
	// the one that is named.
	microsoft := g.install(t, "microsoft", target)
	sync := g.start(t, run.StartRequest{Operation: operation.GroupsSync, Target: target})
	require.Equal(t, run.Accepted, sync.Status)
	require.Equal(t, microsoft, sync.Connection.ID)
	require.Contains(t, g.refuse(t, fault.Invalid, "integration_id", discover), "aws, microsoft")
	named := g.start(t, with(discover, "microsoft"))
	require.Equal(t, microsoft, named.Connection.ID)
	require.Equal(t, operation.ConnectionMissing, g.start(t, with(discover, "other")).Reason)
	g.refuse(t, fault.Invalid, "integration_id", with(discover, "nothing"))
	g.refuse(t, fault.Invalid, "integration_id", run.StartRequest{Operation: operation.DiscoveryRun, Connection: aws, Integration: "microsoft"})

	g.exec(t, `update connections set is_default = false where connection_id = $1`, microsoft)
	g.install(t, "other", target)
	unsupported := g.start(t, run.StartRequest{Operation: operation.GroupsSync, Target: target})
	require.Equal(t, operation.OperationNotSupported, unsupported.Reason, "neither default offers it")
	require.Nil(t, unsupported.Connection)
}

// Everything that can be missing blocks the start: a run records it, with its
// event, in words, with what to do, and in the list.
func TestMissingPrerequisitesAreRecordedWithWhatToDo(t *testing.T) {
	t.Parallel()
	for why, arrange := range map[operation.Code]func(t *testing.T, g *gated) run.StartRequest{
		operation.ConnectionDisabled: func(t *testing.T, g *gated) run.StartRequest {
			c := g.install(t, "aws", 0)
			g.exec(t, `update connections set lifecycle = 'disabled' where connection_id = $1`, c)
			return run.StartRequest{Operation: operation.ConnectionTest, Connection: c}
		},
		operation.ConsentRequired: func(t *testing.T, g *gated) run.StartRequest {
			c := g.install(t, "microsoft", g.target(t, "Contoso"))
			g.exec(t, `update connections set lifecycle = 'needs_consent' where connection_id = $1`, c)
			return run.StartRequest{Operation: operation.PolicyBackup, Connection: c}
		},
		operation.CredentialMissing: func(t *testing.T, g *gated) run.StartRequest {
			c := g.install(t, "aws", 0)
			g.exec(t, `update connections set secret_fields = '{}', credential_type = null where connection_id = $1`, c)
			return run.StartRequest{Operation: operation.DiscoveryRun, Connection: c}
		},
		operation.OperationNotSupported: func(t *testing.T, g *gated) run.StartRequest {
			return run.StartRequest{Operation: operation.RoleDefinitionsSync, Connection: g.install(t, "aws", g.target(t, "Contoso"))}
		},
		operation.TargetUnknown: func(t *testing.T, g *gated) run.StartRequest {
			return run.StartRequest{Operation: operation.GroupsSync, Connection: g.install(t, "microsoft", 0)}
		},
		operation.IntegrationNotLicensed: func(t *testing.T, g *gated) run.StartRequest {
			c := g.install(t, "aws", 0)
			g.exec(t, `insert into licences (document, installed_by) values ('not signed', 'mem_1')`)
			return run.StartRequest{Operation: operation.DiscoveryRun, Connection: c}
		},
		operation.WorkspaceArchived: func(t *testing.T, g *gated) run.StartRequest {
			c := g.install(t, "aws", 0)
			g.exec(t, `update workspaces set archived_at = now() where workspace_id = $1`, g.scope.Workspace)
			return run.StartRequest{Operation: operation.DiscoveryRun, Connection: c}
		},
		operation.ConnectionMissing: func(t *testing.T, g *gated) run.StartRequest {
			return run.StartRequest{Operation: operation.DiscoveryRun, Target: g.target(t, "Contoso")}
		},
	} {
		t.Run(string(why), func(t *testing.T) {
			t.Parallel()
			g := newGated(t)
			blocked := g.start(t, arrange(t, g))
			require.Equal(t, run.StartBlocked, blocked.Status)
			require.Equal(t, why, blocked.Reason)
			require.Equal(t, operation.Explain(why).Short, blocked.Short)
			require.Contains(t, blocked.Message, operation.Explain(why).Explanation)
			require.NotEmpty(t, blocked.NextSteps)
			require.Equal(t, []audit.Action{audit.RunBlocked}, g.events(t, blocked.Run))
			runs, err := g.runs.List(t.Context(), g.scope, run.Filter{Outcome: run.Blocked, Limit: 10})
			require.NoError(t, err)
			require.Len(t, runs, 1)
			require.Equal(t, blocked.Run.ID, runs[0].ID)
			require.Equal(t, why, runs[0].Reason)
			require.Equal(t, blocked.NextSteps, runs[0].NextSteps(), "the run says what the answer said")
			require.Zero(t, g.number(t, `select count(*) from runs where status <> 'completed'`))
		})
	}
}

// All of Microsoft's operations pass the gate as they are registered; the catalog
// alone says who offers them.
func TestOperationsOfATargetPassTheGate(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	c := g.install(t, "microsoft", g.target(t, "Contoso"))
	ask := func(op operation.Type, input string) run.StartResult {
		return g.start(t, run.StartRequest{Operation: op, Connection: c, Input: json.RawMessage(input)})
	}
	groups := ask(operation.GroupsSync, "")
	require.Equal(t, run.Accepted, groups.Status)
	require.Equal(t, "Sync groups of Contoso: accepted, waiting for a worker.", groups.Message)
	require.JSONEq(t, `{"selection_key": "all_groups_v1"}`, string(groups.Run.Input), "the default is said")
	same := ask(operation.GroupsSync, `{"selection_key": "all_groups_v1"}`)
	require.Equal(t, run.Deduped, same.Status)
	require.Equal(t, groups.Run.ID, same.Run.ID)
	for _, busy := range []run.StartResult{
		ask(operation.GroupsSync, `{"selection_key": "some"}`), ask(operation.RoleDefinitionsSync, ""), ask(operation.RestoreExecute, `{"restore_run_id": "rst_4"}`),
	} {
		require.Equal(t, run.ScopeBusy, busy.Status)
		require.Equal(t, groups.Run.ID, busy.Run.ID)
		require.Contains(t, busy.Message, groups.Run.ID.String()+" (directory.groups.sync) has had the organisation's directory to itself since "+
			groups.Run.CreatedAt.UTC().Format(time.DateTime))
		require.NotEmpty(t, busy.Short)
		require.True(t, slices.ContainsFunc(busy.NextSteps, func(s operation.NextStep) bool { return s.ActionType == operation.ActWait }))
	}
	require.Equal(t, run.Accepted, ask(operation.PolicyBackup, "").Status)
	require.Contains(t, ask(operation.RestoreExecute, `{"restore_run_id": "rst_4"}`).Message, "directory.groups.sync", "the holder that came first is named")
	g.cancel(t, groups.Run)
	require.Contains(t, ask(operation.RestoreExecute, `{"restore_run_id": "rst_4"}`).Message, "has been using the organisation's policies since")

	// What a start says is checked, and named.
	for input, field := range map[string]string{
		`{"restore_run_id": 4}`: "input.restore_run_id", `{}`: "input.restore_run_id", `{"restore_run_id": "rst_4", "force": true}`: "input.force", `[]`: "input",
	} {
		g.refuse(t, fault.Invalid, field, run.StartRequest{Operation: operation.RestoreExecute, Connection: c, Input: json.RawMessage(input)})
	}
	builder := g.caller
	builder.Role = workspace.ConnectorBuilder
	_, err := g.gate.Start(t.Context(), builder, run.StartRequest{Operation: operation.RestoreExecute, Connection: c, Input: json.RawMessage(`{"restore_run_id": "rst_4"}`)})
	require.Equal(t, fault.Forbidden, fault.KindOf(err), "a restore is an admin's")
}

// What holds a scope is named with its lease, once a worker has it.
func TestBusyAnswerNamesTheHoldersLease(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	c := g.install(t, "aws", 0)
	first := g.start(t, run.StartRequest{Operation: operation.DiscoveryRun, Connection: c})
	part := run.StartRequest{Operation: operation.DiscoveryRun, Connection: c, Input: json.RawMessage(`{"streams": ["alpha"]}`)}
	require.Contains(t, g.start(t, part).Message, "It waits for a worker.")
	h := g.claim(t)
	busy := g.start(t, part)
	require.Equal(t, run.ScopeBusy, busy.Status)
	require.Equal(t, first.Run.ID, busy.Run.ID)
	require.Contains(t, busy.Message, "Its lease ends "+h.Run.LeaseUntil.UTC().Format(time.TimeOnly))
	p, ok := busy.Run.Protected()
	require.True(t, ok)
	require.Equal(t, run.ProtectedScope{
		Protects: operation.ProtectsConnection, Connection: c, Held: true, Since: busy.Run.CreatedAt, LeaseUntil: busy.Run.LeaseUntil,
	}, p)
}

// What a surface says of its context is kept with the run, without what looks like
// a secret, and never anywhere else.
func TestTargetContextIsSanitised(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	c := g.install(t, "aws", 0)
	const canary = "hunter2-canary"
	started := g.start(t, run.StartRequest{
		Operation: operation.DiscoveryRun, Connection: c, Surface: "tenant.list",
		TargetContext: json.RawMessage(`{"page": 3, "note": "password=` + canary + `", "deep": {"client_secret": "` + canary + `", "rows": ["token: ` + canary + `", true]}}`),
	})
	stored := g.get(t, started.Run)
	require.NotContains(t, string(stored.Context), canary)
	require.Contains(t, string(stored.Context), `"page": 3`)
	require.Contains(t, string(stored.Context), `"source_surface": "tenant.list"`)
	require.Zero(t, g.number(t, `select count(*) from audit_events where payload::text like '%hunter2%'`))

	deep := `{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}`
	long, err := json.Marshal(map[string]string{"a": string(make([]byte, 5000))})
	require.NoError(t, err)
	for _, wrong := range []string{`[1]`, `"text"`, deep, string(long)} {
		g.refuse(t, fault.Invalid, "target_context", run.StartRequest{Operation: operation.ConnectionTest, Connection: c, TargetContext: json.RawMessage(wrong)})
	}
	g.refuse(t, fault.Invalid, "source_surface", run.StartRequest{Operation: operation.ConnectionTest, Connection: c, Surface: string(make([]byte, 101))})
}

// A run over a selection retires nothing outside it, also when its worker claims
// that it has seen everything.
func TestSelectionRetiresNothing(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	c := g.install(t, "aws", 0)
	leases := &run.Leases{Store: g.runs}
	read := func(input string, streams ...string) run.Run {
		accepted := g.start(t, run.StartRequest{Operation: operation.DiscoveryRun, Connection: c, Input: json.RawMessage(input)})
		require.Equal(t, run.Accepted, accepted.Status)
		h := g.claim(t)
		for _, s := range streams {
			h.send(t, s, "", connector.Page{Entities: accounts(s)}, connector.Complete)
		}
		_, err := leases.Finish(t.Context(), h.fence, run.Report{PlanComplete: true})
		require.NoError(t, err)
		published, err := g.graph.Publish(t.Context(), g.scope, h.Run.ID)
		require.NoError(t, err)
		require.True(t, published)
		return g.get(t, h.Run)
	}
	known := `select count(*) from entities where valid_to is null`
	require.Equal(t, run.Succeeded, read("", "alpha", "beta").Outcome)
	require.Equal(t, 2, g.number(t, known))

	narrowed := read(`{"streams": ["beta"]}`, "beta")
	require.Equal(t, run.Succeeded, narrowed.Outcome)
	require.JSONEq(t, `{"streams": ["beta"]}`, string(narrowed.Input))
	require.Equal(t, 2, g.number(t, known))
	require.Zero(t, g.number(t, `select count(*) from stream_partitions where retired_at is not null`))

	require.Equal(t, run.Succeeded, read("", "beta").Outcome)
	require.Equal(t, 1, g.number(t, known), "a run over everything does retire")

	require.Contains(t, g.refuse(t, fault.Invalid, "input.streams", run.StartRequest{
		Operation: operation.DiscoveryRun, Connection: c, Input: json.RawMessage(`{"streams": ["alhpa"]}`),
	}), "did you mean alpha?")
}

package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Gate is the one place where an operation may start.
type Gate struct {
	Connections connection.Reader
	Catalog     *integration.Catalog
	Store       AdmissionStore
	// Licence says what may be started now.
	Licence licence.Reader
}

// StartRequest asks for an operation on a connection, named or by its target.
type StartRequest struct {
	Operation  operation.Type
	Connection id.Connection
	Target     id.Target
	// Surface says where the request came from, for the run's context.
	Surface string
}

// starter is on whose behalf a run starts.
type starter struct {
	scope     id.Scope
	initiator Initiator
	member    id.Member
	actor     audit.Actor
	moves     *DueMove
}

// Start asks the gate on behalf of a person. An error means that nothing was
// decided or recorded: the caller may not, or what it names does not exist.
func (g *Gate) Start(ctx context.Context, c workspace.Caller, req StartRequest) (StartResult, error) {
	op, err := operation.Get(req.Operation)
	if err != nil {
		return StartResult{}, err
	}
	// That the workspace is archived is for the gate to say, and to record.
	if err := c.RequireRole(op.Capability); err != nil {
		return StartResult{}, err
	}
	if req.Connection == 0 && req.Target == 0 {
		return StartResult{}, fault.InvalidField("connection_id", "name a connection or a target_id")
	}
	return g.start(ctx, starter{scope: c.Scope, initiator: ByUser, member: c.Member, actor: c.Actor()}, op, req)
}

// StartScheduled asks the gate on behalf of a connection's schedule and moves the
// due time on. [ErrNotDue] means that someone else has.
func (g *Gate) StartScheduled(ctx context.Context, d DueConnection, next *time.Time) (StartResult, error) {
	op, err := operation.Get(operation.DiscoveryRun)
	if err != nil {
		return StartResult{}, err
	}
	by := starter{scope: d.Scope, initiator: BySchedule, actor: audit.System("schedule"), moves: &DueMove{Due: d.Due, Next: next}}
	return g.start(ctx, by, op, StartRequest{Operation: op.Type, Connection: d.Connection, Surface: "schedule"})
}

func (g *Gate) start(ctx context.Context, by starter, op operation.Operation, req StartRequest) (StartResult, error) {
	conn, err := g.resolve(ctx, by.scope, req)
	if err != nil {
		return StartResult{}, err
	}
	a := Admission{
		Scope: by.scope, Operation: op, Target: req.Target, Input: json.RawMessage("{}"),
		Initiator: by.initiator, InitiatedBy: by.member, Moves: by.moves,
	}
	if conn == nil {
		return g.block(ctx, by, a, nil, operation.ConnectionMissing)
	}
	a.Connection, a.Integration = conn.ID, conn.Integration
	if conn.Target != nil {
		a.Target = conn.Target.ID
	}
	if a.Context, err = runContext(conn, op, req.Surface, ""); err != nil {
		return StartResult{}, err
	}
	standing, err := g.Licence.Standing(ctx)
	if err != nil {
		return StartResult{}, err
	}
	if detail, ok := standing.Allows(conn.Integration); !ok {
		return g.blockUnlicensed(ctx, by, a, conn, req.Surface, detail)
	}
	if why, ok := g.ready(conn, op); !ok {
		return g.block(ctx, by, a, conn, why)
	}
	if op.Dedupes {
		a.DedupeKey = fmt.Sprintf("%s:%d", op.Type, int64(conn.ID))
	}
	if op.Protects == operation.ProtectsConnection {
		a.ScopeKey = fmt.Sprintf("connection:%d", int64(conn.ID))
	}
	admitted, err := g.Store.Admit(ctx, a, audit.Event{
		Actor: by.actor, Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run",
		Payload: map[string]any{"operation_type": string(op.Type), "connection_id": conn.ID.String()},
	})
	if errors.Is(err, workspace.ErrArchived) {
		return g.block(ctx, by, a, conn, operation.WorkspaceArchived)
	}
	if err != nil {
		return StartResult{}, err
	}
	return newStartResult(admitted.Status, op, conn, admitted.Run, ""), nil
}

// resolve returns the named connection, else the target's default, else nil.
func (g *Gate) resolve(ctx context.Context, scope id.Scope, req StartRequest) (*connection.Connection, error) {
	if req.Connection != 0 {
		conn, err := g.Connections.Get(ctx, scope, req.Connection)
		if err != nil {
			return nil, err
		}
		if req.Target != 0 && (conn.Target == nil || conn.Target.ID != req.Target) {
			return nil, fault.InvalidField("target_id", "is not the target of connection %s; leave it out, or leave the connection out", conn.ID)
		}
		return &conn, nil
	}
	conn, err := g.Connections.GetDefault(ctx, scope, req.Target)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &conn, nil
}

// ready returns the reason why the operation cannot start on the connection.
func (g *Gate) ready(conn *connection.Connection, op operation.Operation) (operation.Code, bool) {
	entry, err := g.Catalog.Get(conn.Integration)
	if err != nil || !slices.Contains(entry.Operations, string(op.Type)) {
		return operation.OperationNotSupported, false
	}
	return conn.Ready(op.Type)
}

func (g *Gate) block(ctx context.Context, by starter, a Admission, conn *connection.Connection, why operation.Code) (StartResult, error) {
	if a.Context == nil {
		a.Context = json.RawMessage("{}")
	}
	r, err := g.Store.Block(ctx, a, why, audit.Event{
		Actor: by.actor, Action: audit.RunBlocked, Outcome: audit.Denied, TargetType: "run",
		Payload: map[string]any{"operation_type": string(a.Operation.Type), "reason_code": string(why)},
	})
	if err != nil {
		return StartResult{}, err
	}
	return newStartResult(StartBlocked, a.Operation, conn, r, why), nil
}

// blockUnlicensed is block with what the licence says, for the run's context and
// the message.
func (g *Gate) blockUnlicensed(ctx context.Context, by starter, a Admission, conn *connection.Connection, surface, detail string) (StartResult, error) {
	var err error
	if a.Context, err = runContext(conn, a.Operation, surface, detail); err != nil {
		return StartResult{}, err
	}
	result, err := g.block(ctx, by, a, conn, operation.IntegrationNotLicensed)
	result.Message += " In short: " + detail + "."
	return result, err
}

// runContext is what is safe to know of a run's surroundings; licence is what
// the licence has against it.
func runContext(conn *connection.Connection, op operation.Operation, surface, licence string) (json.RawMessage, error) {
	c := map[string]any{
		"provider": string(conn.Integration), "connection_id": conn.ID.String(), "connection_name": conn.Name, "module": op.Module,
	}
	if conn.Target != nil {
		c["target_scope"] = map[string]any{"target_id": conn.Target.ID.String(), "provider_target_id": conn.Target.ProviderID}
	}
	if surface != "" {
		c["source_surface"] = surface
	}
	if licence != "" {
		c["licence"] = licence
	}
	return json.Marshal(c)
}

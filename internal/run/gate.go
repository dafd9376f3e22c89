package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
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
	// Integration tells the default connections of a target apart, of which there
	// is one for each integration; empty when there is one choice.
	Integration integration.ID
	// Input is what the operation takes beside the connection, a JSON object.
	Input json.RawMessage
	// Surface says where the request came from, for the run's context.
	Surface string
	// TargetContext is what the surface wants kept with the run, a JSON object. It
	// is sanitised, stored in the run's context, and used for nothing else.
	TargetContext json.RawMessage
	// Once is set when the caller may send the same request again: it is answered
	// about the same run, and starts nothing more.
	Once *idempotency.Request
}

// starter is on whose behalf a run starts.
type starter struct {
	scope     id.Scope
	initiator Initiator
	member    id.Member
	actor     audit.Actor
	moves     *DueMove
	entry     *OnboardingEntry
	once      *idempotency.Request
}

// Start asks the gate on behalf of a person. An error means that nothing was
// decided or recorded: the caller may not, or what it names does not exist or
// makes no sense.
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
	by := starter{scope: c.Scope, initiator: ByUser, member: c.Member, actor: c.Actor(), once: req.Once}
	return g.startOnce(ctx, by, op, req)
}

func (g *Gate) start(ctx context.Context, by starter, op operation.Operation, req StartRequest) (StartResult, error) {
	in, err := op.ReadInput(req.Input)
	if err != nil {
		return StartResult{}, err
	}
	input, err := json.Marshal(in)
	if err != nil {
		return StartResult{}, fmt.Errorf("encode the input: %w", err)
	}
	conn, missing, err := g.resolve(ctx, by.scope, op, req)
	if err != nil {
		return StartResult{}, err
	}
	a := Admission{
		Scope: by.scope, Operation: op, Integration: req.Integration, Target: req.Target, Input: input,
		Initiator: by.initiator, InitiatedBy: by.member, Moves: by.moves, Onboarding: by.entry, Once: by.once,
	}
	surroundings, err := newSurroundings(op, req)
	if err != nil {
		return StartResult{}, err
	}
	if conn == nil {
		return g.block(ctx, by, a, nil, surroundings, blocker{why: missing})
	}
	a.Connection, a.ConnectionName, a.Integration = conn.ID, conn.Name, conn.Integration
	if conn.Target != nil {
		a.Target = conn.Target.ID
	}
	surroundings.of(conn)
	stands, err := g.standsInTheWay(ctx, conn, op, in)
	if err != nil {
		return StartResult{}, err
	}
	if stands != nil {
		return g.block(ctx, by, a, conn, surroundings, *stands)
	}
	if a.Context, err = surroundings.encode(); err != nil {
		return StartResult{}, err
	}
	a.DedupeKey = op.DedupeKey(conn.ID, in)
	if op.Protects == operation.ProtectsConnection {
		a.ScopeKey = fmt.Sprintf("connection:%d", int64(conn.ID))
	}
	if h, ok := op.Protects.TargetHold(); ok {
		a.Holds = &h
	}
	admitted, err := g.Store.Admit(ctx, a, audit.Event{
		Actor: by.actor, Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run",
		Payload: map[string]any{"operation_type": string(op.Type), "connection_id": conn.ID.String()},
	})
	if errors.Is(err, workspace.ErrArchived) {
		return g.block(ctx, by, a, conn, surroundings, blocker{why: operation.WorkspaceArchived})
	}
	if err != nil {
		return StartResult{}, err
	}
	result := newStartResult(admitted.Status, op, conn, admitted.Run, blocker{})
	// Onboarding waits for a run that has begun and asks for none to follow it.
	if result.Status == Deduped && result.Run.Status == Running && by.entry == nil {
		result.Message += " Because it has begun, one more run will follow it."
	}
	return result, nil
}

func (g *Gate) block(ctx context.Context, by starter, a Admission, conn *connection.Connection, s surroundings, b blocker) (StartResult, error) {
	s.detail(b)
	var err error
	if a.Context, err = s.encode(); err != nil {
		return StartResult{}, err
	}
	r, err := g.Store.Block(ctx, a, b.why, audit.Event{
		Actor: by.actor, Action: audit.RunBlocked, Outcome: audit.Denied, TargetType: "run",
		Payload: map[string]any{"operation_type": string(a.Operation.Type), "reason_code": string(b.why)},
	})
	if err != nil {
		return StartResult{}, err
	}
	return newStartResult(StartBlocked, a.Operation, conn, r, b), nil
}

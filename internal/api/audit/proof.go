package audit

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Proof shows that an event is in the log that a checkpoint signs.
type Proof struct {
	EventID    id.AuditEvent `json:"event_id" example:"aud_123"`
	Entry      int64         `json:"entry" doc:"The event's place in the log."`
	Leaf       string        `json:"leaf" doc:"What the log holds of the event, byte for byte: a line that names the form, and the event as JSON. Its hash is SHA-256 over a zero byte and this (RFC 6962)."`
	Hashes     [][]byte      `json:"hashes" nullable:"false" doc:"The inclusion proof, from the leaf up."`
	Checkpoint Checkpoint    `json:"checkpoint"`
	PublicKey  string        `json:"public_key" doc:"What the checkpoint was signed with. Compare it with one that was saved."`
}

type proofInput struct {
	EventID api.PathID[id.AuditEvent] `path:"event_id"`
}

type proofOutput struct{ Body Proof }

// mountProof adds the operation on the proof of an event.
func mountProof(a huma.API, events *auditlog.Service) {
	api.Register(a, huma.Operation{
		OperationID: "prove-audit-event", Method: http.MethodGet, Path: "/v1/audit-events/{event_id}/proof", Tags: []string{"Audit"},
		Extensions:  api.Needs(workspace.ReadAudit),
		Summary:     "Prove an audit event",
		Description: "That the event is in the workspace's log, for whoever has the public key and cannot ask this server: the Merkle inclusion proof under the last checkpoint. An event that is not sealed yet, which takes seconds, is a 409. Needs audit.read.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *proofInput) (*proofOutput, error) {
		p, err := events.Prove(ctx, api.CallerFrom(ctx), in.EventID.ID)
		if err != nil {
			return nil, err
		}
		out := &proofOutput{Body: Proof{
			EventID: p.Event, Entry: p.Entry, Leaf: string(p.Leaf), Hashes: make([][]byte, len(p.Hashes)), Checkpoint: fromCheckpoint(p.Checkpoint), PublicKey: events.PublicKey,
		}}
		for i := range p.Hashes {
			out.Body.Hashes[i] = p.Hashes[i][:]
		}
		return out, nil
	})
}

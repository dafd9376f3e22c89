package identity

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

type joinInput struct {
	IdentityID entity.PathIdentity `path:"identity_id"`
	Body       struct {
		IdentityIDs []string `json:"identity_ids" minItems:"1" maxItems:"100" nullable:"false" doc:"Those that become one with it."`
		Reason      string   `json:"reason,omitempty" maxLength:"1000" doc:"Why; kept and shown."`
	}
}

func (o *operations) join(ctx context.Context, in *joinInput) (*identityOutput, error) {
	others := make([]graph.IdentityID, len(in.Body.IdentityIDs))
	for i, text := range in.Body.IdentityIDs {
		if err := others[i].UnmarshalText([]byte(text)); err != nil {
			return nil, fault.InvalidField("identity_ids", "%v", err)
		}
	}
	d, err := o.identities.Join(ctx, api.CallerFrom(ctx), in.IdentityID.ID, others, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &identityOutput{Body: show(d)}, nil
}

type splitInput struct {
	IdentityID entity.PathIdentity `path:"identity_id"`
	Body       struct {
		PrincipalIDs []string `json:"principal_ids" minItems:"1" maxItems:"100" nullable:"false" doc:"The principals that leave."`
		Reason       string   `json:"reason,omitempty" maxLength:"1000" doc:"Why; kept and shown."`
	}
}

type splitOutput struct{ Body Parts }

func (o *operations) split(ctx context.Context, in *splitInput) (*splitOutput, error) {
	principals := make([]graph.EntityID, len(in.Body.PrincipalIDs))
	for i, text := range in.Body.PrincipalIDs {
		if err := principals[i].UnmarshalText([]byte(text)); err != nil {
			return nil, fault.InvalidField("principal_ids", "%v", err)
		}
	}
	parts, err := o.identities.Split(ctx, api.CallerFrom(ctx), in.IdentityID.ID, principals, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &splitOutput{Body: Parts{Identity: show(parts.Kept), Split: []Identity{}}}
	for _, d := range parts.Split {
		out.Body.Split = append(out.Body.Split, show(d))
	}
	return out, nil
}

// SourceList is all trusted connections.
type SourceList struct {
	Sources []Source `json:"identity_sources" nullable:"false"`
}

type sourcesOutput struct{ Body SourceList }

func (o *operations) sources(ctx context.Context, _ *struct{}) (*sourcesOutput, error) {
	found, err := o.identities.Sources(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &sourcesOutput{Body: SourceList{Sources: make([]Source, len(found))}}
	for i, s := range found {
		out.Body.Sources[i] = Source{ConnectionID: s.Connection, Correction: showCorrection(s.Correction)}
	}
	return out, nil
}

type trustInput struct {
	ConnectionID api.PathID[id.Connection] `path:"connection_id"`
	Body         *struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Why; kept and shown."`
	}
}

func (o *operations) trust(ctx context.Context, in *trustInput) (*struct{}, error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	return nil, o.identities.Trust(ctx, api.CallerFrom(ctx), in.ConnectionID.ID, true, reason)
}

type distrustInput struct {
	ConnectionID api.PathID[id.Connection] `path:"connection_id"`
	Reason       string                    `query:"reason" maxLength:"1000" doc:"Why; kept and shown."`
}

func (o *operations) distrust(ctx context.Context, in *distrustInput) (*struct{}, error) {
	if !storable(in.Reason) {
		return nil, fault.InvalidField("query.reason", "must be UTF-8 text without NUL")
	}
	return nil, o.identities.Trust(ctx, api.CallerFrom(ctx), in.ConnectionID.ID, false, in.Reason)
}

package connection

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

type listInput struct {
	api.Page
	IntegrationID string                 `query:"integration_id" maxLength:"63" doc:"Only connections of this integration."`
	TargetID      api.QueryID[id.Target] `query:"target_id" doc:"Only connections for this target."`
	Status        string                 `query:"status" enum:"healthy,degraded,unknown" doc:"Only connections that fared so when they were last used."`
	Lifecycle     string                 `query:"lifecycle" enum:"needs_consent,active,disabled" doc:"Only connections in this lifecycle."`
	NamePrefix    string                 `query:"name_prefix" maxLength:"200" doc:"Only connections whose name begins so, in upper and lower case as given."`
	Paused        bool                   `query:"schedule_paused" doc:"Only connections whose schedule is paused."`
	Default       bool                   `query:"default" doc:"Only connections that are the default of their target."`
}

// List is a page of connections.
type List struct {
	Connections []Connection `json:"connections" nullable:"false"`
	Total       int64        `json:"total" doc:"How many there are on all pages, with the same filters."`
	NextCursor  string       `json:"next_cursor,omitempty"`
}

type listOutput struct {
	Body List
}

type oneInput struct {
	Connection api.PathID[id.Connection] `path:"connection_id"`
}

type oneOutput struct {
	ETag string `header:"ETag"`
	Body Connection
}

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	after, err := api.After[id.Connection](in.Page)
	if err != nil {
		return nil, err
	}
	caller := api.CallerFrom(ctx)
	found, err := o.connections.List(ctx, caller, domain.Filter{
		Integration: integration.ID(in.IntegrationID), Target: in.TargetID.ID, Status: domain.Status(in.Status),
		Lifecycle: domain.Lifecycle(in.Lifecycle), NamePrefix: in.NamePrefix, PausedOnly: in.Paused, DefaultsOnly: in.Default, After: after, Limit: in.Fetch(),
	})
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found.Connections, func(c domain.Connection) id.Connection { return c.ID })
	out := &listOutput{Body: List{Connections: make([]Connection, len(items)), Total: found.Total, NextCursor: next}}
	for i, c := range items {
		out.Body.Connections[i] = fromDomain(caller, c)
	}
	return out, nil
}

func (o *operations) get(ctx context.Context, in *oneInput) (*oneOutput, error) {
	caller := api.CallerFrom(ctx)
	c, err := o.connections.Get(ctx, caller, in.Connection.ID)
	if err != nil {
		return nil, err
	}
	return &oneOutput{ETag: api.ETag(c.Version), Body: fromDomain(caller, c)}, nil
}

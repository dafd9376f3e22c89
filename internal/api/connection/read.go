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
	IntegrationID string `query:"integration_id" maxLength:"63" doc:"Only connections of this integration."`
}

// List is a page of connections.
type List struct {
	Connections []Connection `json:"connections" nullable:"false"`
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
	found, err := o.connections.List(ctx, api.CallerFrom(ctx), domain.Filter{
		Integration: integration.ID(in.IntegrationID), After: after, Limit: in.Fetch(),
	})
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(c domain.Connection) id.Connection { return c.ID })
	out := &listOutput{Body: List{Connections: make([]Connection, len(items)), NextCursor: next}}
	for i, c := range items {
		out.Body.Connections[i] = fromDomain(c)
	}
	return out, nil
}

func (o *operations) get(ctx context.Context, in *oneInput) (*oneOutput, error) {
	c, err := o.connections.Get(ctx, api.CallerFrom(ctx), in.Connection.ID)
	if err != nil {
		return nil, err
	}
	return &oneOutput{ETag: etag(c.Version), Body: fromDomain(c)}, nil
}

package webhook

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

func (o *operations) mountDeliveries(a huma.API) {
	needs := api.Needs(workspace.ManageWebhooks)
	one := []int{http.StatusNotFound}
	api.Register(a, huma.Operation{
		OperationID: "list-webhook-deliveries", Method: http.MethodGet, Path: "/v1/webhooks/{webhook_id}/deliveries", Tags: tags(), Extensions: needs,
		Errors: one, Summary: "List deliveries of a webhook", Description: "The newest first, of the last 30 days. Needs webhooks.manage.",
	}, o.deliveries)
	api.Register(a, huma.Operation{
		OperationID: "replay-webhook-delivery", Method: http.MethodPost, Path: "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", Tags: tags(),
		Extensions: needs, Errors: one, DefaultStatus: http.StatusAccepted, Summary: "Make a delivery again",
		Description: "At once, with the retries from their begin, and under the same webhook-id. Needs webhooks.manage.",
	}, o.replay)
	api.Register(a, huma.Operation{
		OperationID: "replay-webhook", Method: http.MethodPost, Path: "/v1/webhooks/{webhook_id}/replay", Tags: tags(), Extensions: needs, Errors: one,
		DefaultStatus: http.StatusAccepted, Summary: "Make deliveries again",
		Description: "Those of events since a moment that failed, or all. Needs webhooks.manage.",
	}, o.replaySince)
}

type deliveriesInput struct {
	api.Page
	Webhook api.PathID[id.Webhook] `path:"webhook_id"`
	Status  string                 `query:"status" enum:"pending,succeeded,failed" doc:"Only deliveries with this status."`
}

type deliveriesOutput struct{ Body DeliveryList }

type replayInput struct {
	Webhook  api.PathID[id.Webhook]  `path:"webhook_id"`
	Delivery api.PathID[id.Delivery] `path:"delivery_id"`
}

type replaySinceInput struct {
	Webhook api.PathID[id.Webhook] `path:"webhook_id"`
	Body    Replay
}

type replayedOutput struct{ Body Replayed }

func (o *operations) deliveries(ctx context.Context, in *deliveriesInput) (*deliveriesOutput, error) {
	before, err := api.After[id.Delivery](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.webhooks.Deliveries(ctx, api.CallerFrom(ctx), in.Webhook.ID, domain.Filter{
		Status: domain.Status(in.Status), Before: before, Limit: in.Fetch(),
	})
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(d domain.Delivery) id.Delivery { return d.ID })
	out := &deliveriesOutput{Body: DeliveryList{Deliveries: make([]Delivery, len(items)), NextCursor: next}}
	for i, d := range items {
		out.Body.Deliveries[i] = deliveryFromDomain(d)
	}
	return out, nil
}

func (o *operations) replay(ctx context.Context, in *replayInput) (*deliveryOutput, error) {
	d, err := o.webhooks.Replay(ctx, api.CallerFrom(ctx), in.Webhook.ID, in.Delivery.ID)
	if err != nil {
		return nil, err
	}
	return &deliveryOutput{Body: deliveryFromDomain(d)}, nil
}

func (o *operations) replaySince(ctx context.Context, in *replaySinceInput) (*replayedOutput, error) {
	n, err := o.webhooks.ReplaySince(ctx, api.CallerFrom(ctx), in.Webhook.ID, in.Body.Since, in.Body.All)
	if err != nil {
		return nil, err
	}
	return &replayedOutput{Body: Replayed{Deliveries: n}}, nil
}

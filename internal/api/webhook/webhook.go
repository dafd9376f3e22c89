package webhook

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	domain "github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on webhooks.
type operations struct {
	webhooks *domain.Service
}

// tags groups the operations in the document.
func tags() []string { return []string{"Webhooks"} }

// Mount adds the operations on webhooks, and describes what they send.
func Mount(a huma.API, webhooks *domain.Service) {
	o := &operations{webhooks: webhooks}
	needs := api.Needs(workspace.ManageWebhooks)
	one := []int{http.StatusNotFound}
	api.Register(a, huma.Operation{
		OperationID: "list-webhooks", Method: http.MethodGet, Path: "/v1/webhooks", Tags: tags(), Extensions: needs,
		Summary: "List webhooks", Description: "In order of id, without secrets. Needs webhooks.manage, because an address may hold a token.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "create-webhook", Method: http.MethodPost, Path: "/v1/webhooks", Tags: tags(), Extensions: needs, DefaultStatus: http.StatusCreated,
		Summary:     "Create a webhook",
		Description: "The answer is the only place where the secret is ever shown. Nothing is sent until something happens: try it with its test. Needs webhooks.manage.",
	}, o.create)
	api.Register(a, huma.Operation{
		OperationID: "get-webhook", Method: http.MethodGet, Path: "/v1/webhooks/{webhook_id}", Tags: tags(), Extensions: needs, Errors: one,
		Summary: "Get a webhook", Description: "Without its secret. Needs webhooks.manage.",
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "update-webhook", Method: http.MethodPatch, Path: "/v1/webhooks/{webhook_id}", Tags: tags(), Extensions: needs, Errors: one,
		Summary: "Change a webhook", Description: "Enabling one forgets its failures. Needs webhooks.manage.",
	}, o.update)
	api.Register(a, huma.Operation{
		OperationID: "delete-webhook", Method: http.MethodDelete, Path: "/v1/webhooks/{webhook_id}", Tags: tags(), Extensions: needs, Errors: one,
		DefaultStatus: http.StatusNoContent, Summary: "Delete a webhook", Description: "With its secrets and its deliveries. Needs webhooks.manage.",
	}, o.delete)
	api.Register(a, huma.Operation{
		OperationID: "rotate-webhook-secret", Method: http.MethodPost, Path: "/v1/webhooks/{webhook_id}/rotate-secret", Tags: tags(), Extensions: needs,
		Errors: one, Summary: "Give a webhook another secret",
		Description: "The answer is the only place where it is ever shown. For 24 hours deliveries carry signatures of both, so that the receiver can change over. Needs webhooks.manage.",
	}, o.rotate)
	api.Register(a, huma.Operation{
		OperationID: "test-webhook", Method: http.MethodPost, Path: "/v1/webhooks/{webhook_id}/test", Tags: tags(), Extensions: needs, Errors: one,
		DefaultStatus: http.StatusAccepted, Summary: "Try a webhook",
		Description: "Sends an event of type webhook.ping, in a moment; its delivery tells how that went. Needs webhooks.manage.",
	}, o.ping)
	o.mountDeliveries(a)
	describe(a)
}

type listInput struct {
	api.Page
}

type listOutput struct{ Body List }

type createInput struct{ Body Draft }

type secretOutput struct{ Body WithSecret }

type oneInput struct {
	Webhook api.PathID[id.Webhook] `path:"webhook_id"`
}

type oneOutput struct{ Body Webhook }

type updateInput struct {
	Webhook api.PathID[id.Webhook] `path:"webhook_id"`
	Body    Patch
}

type deliveryOutput struct{ Body Delivery }

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	after, err := api.After[id.Webhook](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.webhooks.List(ctx, api.CallerFrom(ctx), after, in.Fetch())
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(e domain.Endpoint) id.Webhook { return e.ID })
	out := &listOutput{Body: List{Webhooks: make([]Webhook, len(items)), NextCursor: next}}
	for i, e := range items {
		out.Body.Webhooks[i] = fromDomain(e)
	}
	return out, nil
}

func (o *operations) create(ctx context.Context, in *createInput) (*secretOutput, error) {
	return withSecret(o.webhooks.Create(ctx, api.CallerFrom(ctx), domain.Draft{
		URL: in.Body.URL, Description: in.Body.Description, Events: events(in.Body.EventTypes),
	}))
}

func withSecret(e domain.Endpoint, plain secret.Secret, err error) (*secretOutput, error) {
	if err != nil {
		return nil, err
	}
	return &secretOutput{Body: WithSecret{Webhook: fromDomain(e), Secret: plain.RevealString()}}, nil
}

func (o *operations) get(ctx context.Context, in *oneInput) (*oneOutput, error) {
	return shown(o.webhooks.Get(ctx, api.CallerFrom(ctx), in.Webhook.ID))
}

func shown(e domain.Endpoint, err error) (*oneOutput, error) {
	if err != nil {
		return nil, err
	}
	return &oneOutput{Body: fromDomain(e)}, nil
}

func (o *operations) update(ctx context.Context, in *updateInput) (*oneOutput, error) {
	p := domain.Patch{URL: in.Body.URL, Description: in.Body.Description, Enabled: in.Body.Enabled}
	if in.Body.EventTypes != nil {
		types := events(*in.Body.EventTypes)
		p.Events = &types
	}
	return shown(o.webhooks.Update(ctx, api.CallerFrom(ctx), in.Webhook.ID, p))
}

func (o *operations) delete(ctx context.Context, in *oneInput) (*struct{}, error) {
	return nil, o.webhooks.Delete(ctx, api.CallerFrom(ctx), in.Webhook.ID)
}

func (o *operations) rotate(ctx context.Context, in *oneInput) (*secretOutput, error) {
	return withSecret(o.webhooks.RotateSecret(ctx, api.CallerFrom(ctx), in.Webhook.ID))
}

func (o *operations) ping(ctx context.Context, in *oneInput) (*deliveryOutput, error) {
	d, err := o.webhooks.Ping(ctx, api.CallerFrom(ctx), in.Webhook.ID)
	if err != nil {
		return nil, err
	}
	return &deliveryOutput{Body: deliveryFromDomain(d)}, nil
}

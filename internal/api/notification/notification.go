package notification

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/notification"
)

// Mount adds the operations on notifications.
func Mount(a huma.API, inbox *domain.Service) {
	o := &operations{inbox: inbox}
	tags := []string{"Notifications"}
	api.Register(a, huma.Operation{
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/v1/notifications", Tags: tags, Extensions: api.NeedsMember(),
		Summary: "List my notifications",
		Description: "What the caller is told, the newest first: the end of each run that they started, and, for admins, that a webhook was switched off or that failures have paused a schedule. " +
			"Kept for 90 days. Everybody has their own, API keys too.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "read-notification", Method: http.MethodPost, Path: "/v1/notifications/{notification_id}/read", Tags: tags,
		Extensions: api.NeedsMember(), Summary: "Mark a notification as read",
		Description: "Reading twice changes nothing.", Errors: []int{http.StatusNotFound},
	}, o.read)
	api.Register(a, huma.Operation{
		OperationID: "read-all-notifications", Method: http.MethodPost, Path: "/v1/notifications/read-all", Tags: tags,
		Extensions: api.NeedsMember(), Summary: "Mark all my notifications as read",
	}, o.readAll)
}

// operations are the HTTP operations on the inbox.
type operations struct {
	inbox *domain.Service
}

// Notification is an entry of the caller's inbox.
type Notification struct {
	NotificationID id.Notification `json:"notification_id" example:"ntf_123"`
	Kind           string          `json:"kind" enum:"run_ended,webhook_disabled,schedule_paused"`
	Title          string          `json:"title" doc:"What happened, in one line." example:"Discover access of Prod AWS: failed"`
	Message        string          `json:"message" doc:"More of it: the reason, in the words that a run has for it."`
	RunID          *id.Run         `json:"run_id" nullable:"true" example:"run_123" doc:"Of run_ended: the run, which has next steps and what it read."`
	OperationType  *string         `json:"operation_type" example:"discovery.run"`
	Outcome        *string         `json:"outcome" example:"failed"`
	ReasonCode     *string         `json:"reason_code" doc:"Null where there is nothing to explain."`
	ConnectionID   *id.Connection  `json:"connection_id" nullable:"true" example:"conn_123"`
	WebhookID      *id.Webhook     `json:"webhook_id" nullable:"true" example:"wh_123" doc:"Of webhook_disabled."`
	CreatedAt      time.Time       `json:"created_at"`
	ReadAt         *time.Time      `json:"read_at" doc:"Null until it has been read."`
}

// List is a page of the inbox.
type List struct {
	Notifications []Notification `json:"notifications" nullable:"false"`
	Unread        int64          `json:"unread" doc:"How many are unread in the whole inbox."`
	NextCursor    string         `json:"next_cursor,omitempty"`
}

type listInput struct {
	api.Page
	Unread bool `query:"unread" doc:"Only what has not been read."`
}

type listOutput struct{ Body List }

type readInput struct {
	Notification api.PathID[id.Notification] `path:"notification_id"`
}

type readOutput struct{ Body Notification }

// AllRead says how many notifications were unread.
type AllRead struct {
	Read int64 `json:"read"`
}

type allReadOutput struct{ Body AllRead }

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := api.After[id.Notification](in.Page)
	if err != nil {
		return nil, err
	}
	found, unread, err := o.inbox.List(ctx, api.CallerFrom(ctx), domain.Filter{Unread: in.Unread, Before: before, Limit: in.Fetch()})
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(n domain.Notification) id.Notification { return n.ID })
	out := &listOutput{Body: List{Notifications: make([]Notification, len(items)), Unread: unread, NextCursor: next}}
	for i, n := range items {
		out.Body.Notifications[i] = fromDomain(n)
	}
	return out, nil
}

func (o *operations) read(ctx context.Context, in *readInput) (*readOutput, error) {
	n, err := o.inbox.Read(ctx, api.CallerFrom(ctx), in.Notification.ID)
	if err != nil {
		return nil, err
	}
	return &readOutput{Body: fromDomain(n)}, nil
}

func (o *operations) readAll(ctx context.Context, _ *struct{}) (*allReadOutput, error) {
	n, err := o.inbox.ReadAll(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	return &allReadOutput{Body: AllRead{Read: n}}, nil
}

func fromDomain(n domain.Notification) Notification {
	title, message := n.Text()
	dto := Notification{NotificationID: n.ID, Kind: string(n.Kind), Title: title, Message: message, CreatedAt: n.CreatedAt.UTC()}
	if n.ReadAt != nil {
		read := n.ReadAt.UTC()
		dto.ReadAt = &read
	}
	dto.RunID, dto.ConnectionID, dto.WebhookID = api.NotZero(n.Run.ID), api.NotZero(n.Schedule.Connection), api.NotZero(n.Webhook.ID)
	dto.OperationType, dto.Outcome, dto.ReasonCode = api.NotZero(string(n.Run.Operation)), api.NotZero(string(n.Run.Outcome)), api.NotZero(string(n.Run.Reason))
	if n.Kind == domain.SchedulePaused {
		dto.ReasonCode = api.NotZero(string(n.Schedule.Reason))
	}
	return dto
}

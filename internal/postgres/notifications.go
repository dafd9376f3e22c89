package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/notification"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Notifications keeps members' inboxes. It is the discovery service's.
type Notifications struct {
	db *DB
}

var _ notification.Store = (*Notifications)(nil)

// NewNotifications returns the store on a pool.
func NewNotifications(db *DB) *Notifications { return &Notifications{db: db} }

// List returns the newest entries of a member's inbox first.
func (s *Notifications) List(ctx context.Context, scope id.Scope, m id.Member, f notification.Filter) ([]notification.Notification, error) {
	return s.find(ctx, dbsqlc.ListNotificationsParams{
		WorkspaceID: int64(scope.Workspace), MemberID: int64(m), Before: int64(f.Before), Unread: f.Unread, Most: int32(f.Limit),
	})
}

func (s *Notifications) find(ctx context.Context, p dbsqlc.ListNotificationsParams) ([]notification.Notification, error) {
	rows, err := s.db.read(id.Workspace(p.WorkspaceID)).ListNotifications(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	found := make([]notification.Notification, len(rows))
	for i, r := range rows {
		found[i] = notification.Notification{
			ID: id.Notification(r.NotificationID), Kind: notification.Kind(r.Kind), CreatedAt: r.CreatedAt, ReadAt: r.ReadAt,
			Run: notification.RunSummary{
				ID: id.Run(orZero(r.RunID)), Operation: operation.Type(orZero(r.OperationType)), Outcome: run.Outcome(r.Outcome),
				Reason: operation.Code(orZero(r.ReasonCode)), Connection: id.Connection(orZero(r.ConnectionID)), ConnectionName: orZero(r.ConnectionName),
			},
			Webhook: notification.WebhookSummary{
				ID: id.Webhook(orZero(r.EndpointID)), Description: orZero(r.EndpointDescription), Reason: orZero(r.DisabledReason),
			},
			Schedule: notification.ScheduleSummary{
				Connection: id.Connection(orZero(r.ConnectionID)), Name: orZero(r.ConnectionName), Reason: operation.Code(orZero(r.SchedulePauseReasonCode)),
			},
		}
	}
	return found, nil
}

// Unread counts what a member has not read.
func (s *Notifications) Unread(ctx context.Context, scope id.Scope, m id.Member) (int64, error) {
	n, err := s.db.read(scope.Workspace).CountUnreadNotifications(ctx, dbsqlc.CountUnreadNotificationsParams{
		WorkspaceID: int64(scope.Workspace), MemberID: int64(m),
	})
	if err != nil {
		return 0, fmt.Errorf("count unread notifications: %w", err)
	}
	return n, nil
}

// Read notes that a member has read an entry of their inbox.
func (s *Notifications) Read(ctx context.Context, scope id.Scope, m id.Member, n id.Notification) (notification.Notification, error) {
	err := s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		return dbsqlc.New(tx).ReadNotification(ctx, dbsqlc.ReadNotificationParams{
			WorkspaceID: int64(scope.Workspace), MemberID: int64(m), NotificationID: int64(n),
		})
	})
	if err != nil {
		return notification.Notification{}, fmt.Errorf("read a notification: %w", err)
	}
	found, err := s.find(ctx, dbsqlc.ListNotificationsParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m), This: int64(n), Most: 1})
	if err != nil {
		return notification.Notification{}, err
	}
	// No row has the zero id, which the statement takes for any.
	if n == 0 || len(found) == 0 {
		return notification.Notification{}, fault.New(fault.NotFound, "there is no notification %s in your inbox", n)
	}
	return found[0], nil
}

// ReadAll notes that a member has read everything.
func (s *Notifications) ReadAll(ctx context.Context, scope id.Scope, m id.Member) (read int64, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		read, err = dbsqlc.New(tx).ReadNotifications(ctx, dbsqlc.ReadNotificationsParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m)})
		return err
	})
	return read, err
}

// TellInitiator tells whoever started a run that it has ended, once.
func (s *Notifications) TellInitiator(ctx context.Context, r run.Ref) error {
	return s.db.InWorkspace(ctx, r.Scope.Workspace, func(tx pgx.Tx) error {
		_, err := dbsqlc.New(tx).NotifyInitiator(ctx, dbsqlc.NotifyInitiatorParams{WorkspaceID: int64(r.Scope.Workspace), RunID: int64(r.Run)})
		return err
	})
}

// forgetMost bounds one statement that deletes what is old.
const forgetMost = 5000

// Forget deletes entries that have been kept long enough.
func (s *Notifications) Forget(ctx context.Context) error {
	return forgetAll(func() (int64, error) {
		return s.db.plain().ForgetNotifications(ctx, dbsqlc.ForgetNotificationsParams{Kept: notification.KeptFor, Most: forgetMost})
	})
}

// forgetAll deletes until there is little left to delete.
func forgetAll(some func() (int64, error)) error {
	for {
		n, err := some()
		if err != nil || n < forgetMost {
			return translate(err)
		}
	}
}

package notification

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Filter narrows a listing of an inbox.
type Filter struct {
	// Unread leaves out what the member has read.
	Unread bool
	// Before continues a listing: only entries older than this id.
	Before id.Notification
	// Limit is the most entries to return, 1 to 201.
	Limit int
}

// Store keeps inboxes. What is not in the member's inbox is NotFound.
type Store interface {
	// List returns the newest entries of a member's inbox first.
	List(ctx context.Context, scope id.Scope, m id.Member, f Filter) ([]Notification, error)
	// Unread counts what the member has not read.
	Unread(ctx context.Context, scope id.Scope, m id.Member) (int64, error)
	// Read notes that the member has read one, and returns it. Reading again
	// changes nothing.
	Read(ctx context.Context, scope id.Scope, m id.Member, n id.Notification) (Notification, error)
	// ReadAll notes that the member has read all, and returns how many they had
	// not.
	ReadAll(ctx context.Context, scope id.Scope, m id.Member) (int64, error)
}

// Service is what a member does with their inbox. Every member has one, API keys
// too, and every role may use its own, also in an archived workspace.
type Service struct {
	Store Store
}

// List returns the newest entries of the caller's inbox first, and how many they
// have not read.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) (found []Notification, unread int64, err error) {
	if found, err = s.Store.List(ctx, c.Scope, c.Member, f); err != nil {
		return nil, 0, err
	}
	unread, err = s.Store.Unread(ctx, c.Scope, c.Member)
	return found, unread, err
}

// Read notes that the caller has read an entry, or NotFound.
func (s *Service) Read(ctx context.Context, c workspace.Caller, n id.Notification) (Notification, error) {
	return s.Store.Read(ctx, c.Scope, c.Member, n)
}

// ReadAll notes that the caller has read everything.
func (s *Service) ReadAll(ctx context.Context, c workspace.Caller) (int64, error) {
	return s.Store.ReadAll(ctx, c.Scope, c.Member)
}

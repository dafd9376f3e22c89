package identity

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Store keeps identities and what people decided about them.
type Store interface {
	// ListIdentities returns those that pass the filter, in order of the name and
	// id of [Summary.Lead].
	ListIdentities(ctx context.Context, w id.Workspace, f Filter) ([]Summary, error)
	// GetIdentity returns an identity, or the one that it went into; NotFound.
	GetIdentity(ctx context.Context, w id.Workspace, i graph.IdentityID, asOf graph.Moment) (Detail, error)
	// ListChanges returns the history of an identity, the newest first; NotFound
	// when there has never been one of that number.
	ListChanges(ctx context.Context, w id.Workspace, i graph.IdentityID, after *ChangePosition, limit int) ([]Change, error)
	// Join makes identities one and records the event, unless they are one
	// already; NotFound when there is one that is none, Invalid when they have
	// more than [MaxJoined] principals.
	Join(ctx context.Context, c workspace.Caller, all []graph.IdentityID, reason string, e audit.Event) (Detail, error)
	// Split keeps principals of an identity apart from its others and records the
	// event, unless they are apart already. Invalid when one is not of it, none
	// would stay, or there are more than [MaxPairs] pairs.
	Split(ctx context.Context, c workspace.Caller, i graph.IdentityID, principals []graph.EntityID, reason string, e audit.Event) (Parts, error)
	// Sources returns the connections that are trusted.
	Sources(ctx context.Context, w id.Workspace) ([]Source, error)
	// Trust begins or ends the trust in a connection and records the event, unless
	// it is so already; NotFound when there is no such connection.
	Trust(ctx context.Context, c workspace.Caller, of id.Connection, trusted bool, reason string, e audit.Event) error
}

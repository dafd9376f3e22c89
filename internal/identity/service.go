package identity

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Limits of one correction.
const (
	// MaxJoined is how many principals a join may make one.
	MaxJoined = 500
	// MaxPairs is how many pairs a split may keep apart.
	MaxPairs = 10_000
	// maxReason is how long a reason may be, in characters.
	maxReason = 1000
)

// Service is the use cases on identities.
type Service struct {
	Store Store
}

// List returns identities in order of the names under which they are found. It
// needs [workspace.ReadWorkspace], as do the other questions.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) ([]Summary, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.ListIdentities(ctx, c.Scope.Workspace, f)
}

// Get returns an identity. The number of one that has gone into another answers
// with the other; NotFound when its principals are gone or have parted.
func (s *Service) Get(ctx context.Context, c workspace.Caller, i graph.IdentityID, asOf graph.Moment) (Detail, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Detail{}, err
	}
	return s.Store.GetIdentity(ctx, c.Scope.Workspace, i, asOf)
}

// History returns who came to an identity and left it, the newest first, at most
// limit changes behind a place.
func (s *Service) History(ctx context.Context, c workspace.Caller, i graph.IdentityID, after *ChangePosition, limit int) ([]Change, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.ListChanges(ctx, c.Scope.Workspace, i, after, limit)
}

// Join makes several identities one, for good: all principals that they have now
// stay together whatever they are known by, until they are split. Splits between
// them end. When they are one already, nothing happens. It needs
// [workspace.ManageIdentities], as do the other corrections.
func (s *Service) Join(ctx context.Context, c workspace.Caller, i graph.IdentityID, others []graph.IdentityID, reason string) (Detail, error) {
	if err := c.Require(workspace.ManageIdentities); err != nil {
		return Detail{}, err
	}
	if err := validReason(reason); err != nil {
		return Detail{}, err
	}
	all := append([]graph.IdentityID{i}, others...)
	return s.Store.Join(ctx, c, all, reason, audit.Event{
		Actor: c.Actor(), Action: audit.IdentitiesJoined, Outcome: audit.Succeeded, TargetType: "identity", TargetID: i.String(),
		Payload: map[string]any{"identities": texts(all), "reason": reason},
	})
}

// Split takes principals out of an identity, for good: whatever they and those
// that stay are known by, nothing joins them again but a [Service.Join]. Those
// taken out stay together where something joins them.
func (s *Service) Split(ctx context.Context, c workspace.Caller, i graph.IdentityID, principals []graph.EntityID, reason string) (Parts, error) {
	if err := c.Require(workspace.ManageIdentities); err != nil {
		return Parts{}, err
	}
	if err := validReason(reason); err != nil {
		return Parts{}, err
	}
	principals = slices.Clone(principals)
	slices.SortFunc(principals, func(a, b graph.EntityID) int { return slices.Compare(a[:], b[:]) })
	principals = slices.Compact(principals)
	return s.Store.Split(ctx, c, i, principals, reason, audit.Event{
		Actor: c.Actor(), Action: audit.IdentitySplit, Outcome: audit.Succeeded, TargetType: "identity", TargetID: i.String(),
		Payload: map[string]any{"principals": texts(principals), "reason": reason},
	})
}

// Sources returns the connections whose unverified identifiers are believed, in
// order of id.
func (s *Service) Sources(ctx context.Context, c workspace.Caller) ([]Source, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.Sources(ctx, c.Scope.Workspace)
}

// Trust says whether the unverified identifiers of a connection are believed, as
// they may be where nobody but the workspace's own administrators writes them.
func (s *Service) Trust(ctx context.Context, c workspace.Caller, of id.Connection, trusted bool, reason string) error {
	if err := c.Require(workspace.ManageIdentities); err != nil {
		return err
	}
	if err := validReason(reason); err != nil {
		return err
	}
	action := audit.IdentitySourceTrusted
	if !trusted {
		action = audit.IdentitySourceNotTrusted
	}
	return s.Store.Trust(ctx, c, of, trusted, reason, audit.Event{
		Actor: c.Actor(), Action: action, Outcome: audit.Succeeded, TargetType: "connection", TargetID: of.String(),
		Payload: map[string]any{"reason": reason},
	})
}

func validReason(reason string) error {
	if utf8.RuneCountInString(reason) > maxReason {
		return fault.InvalidField("reason", "is longer than %d characters; say it more briefly", maxReason)
	}
	return nil
}

func texts[T interface{ String() string }](ids []T) []string {
	all := make([]string, len(ids))
	for i, one := range ids {
		all[i] = one.String()
	}
	return all
}

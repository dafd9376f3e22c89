package workspace

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Claim is one thing that an ID token says of a person. A claim that is a list
// is one Claim for each of its items.
type Claim struct {
	Name, Value string
}

// ClaimedRole returns the strongest role that the mappings give to somebody with
// these claims; ok is false when none fits.
func ClaimedRole(mappings []ClaimMapping, claims []Claim) (role Role, ok bool) {
	strength := Roles()
	for _, m := range mappings {
		if !slices.Contains(claims, Claim{m.Claim, m.Value}) {
			continue
		}
		if !ok || slices.Index(strength, m.Role) > slices.Index(strength, role) {
			role, ok = m.Role, true
		}
	}
	return role, ok
}

// Mappings lists the claim mappings of the caller's workspace.
func (s *Service) Mappings(ctx context.Context, c Caller, after id.ClaimMapping, limit int) ([]ClaimMapping, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return nil, err
	}
	return s.Store.ListMappings(ctx, c.Scope, after, limit)
}

// Bounds of a mapping, in characters.
const (
	maxClaim      = 100
	maxClaimValue = 500
)

// CreateMapping gives a role to whoever signs in with a claim of this value, from
// their next sign-in on. A claim and value that has a role gives a Conflict.
func (s *Service) CreateMapping(ctx context.Context, c Caller, claim, value string, role Role) (ClaimMapping, error) {
	if err := c.Require(ManageMembers); err != nil {
		return ClaimMapping{}, err
	}
	if err := c.MayGrant(role); err != nil {
		return ClaimMapping{}, err
	}
	claim = strings.TrimSpace(claim)
	var wrong []fault.Field
	if n := utf8.RuneCountInString(claim); n < 1 || n > maxClaim {
		wrong = append(wrong, fault.Field{Path: "claim", Message: "must be the name of a claim, such as groups, of at most 100 characters"})
	}
	if n := utf8.RuneCountInString(value); n < 1 || n > maxClaimValue {
		wrong = append(wrong, fault.Field{Path: "value", Message: "must be 1 to 500 characters long"})
	}
	if len(wrong) > 0 {
		return ClaimMapping{}, fault.InvalidFields(wrong...)
	}
	m := ClaimMapping{Workspace: c.Scope.Workspace, Claim: claim, Value: value, Role: role}
	return s.Store.CreateMapping(ctx, c.Scope, m, audit.Event{
		Actor: c.Actor(), Action: audit.ClaimMappingCreated, Outcome: audit.Succeeded, TargetType: "claim_mapping",
		Payload: map[string]any{"claim": claim, "value": value, "role": string(role)},
	})
}

// DeleteMapping takes a mapping away. Members whom it alone made members are none
// any more after their next sign-in.
func (s *Service) DeleteMapping(ctx context.Context, c Caller, m id.ClaimMapping) error {
	if err := c.RequireRole(ManageMembers); err != nil {
		return err
	}
	return s.Store.DeleteMapping(ctx, c.Scope, m, audit.Event{
		Actor: c.Actor(), Action: audit.ClaimMappingDeleted, Outcome: audit.Succeeded, TargetType: "claim_mapping", TargetID: m.String(),
	})
}

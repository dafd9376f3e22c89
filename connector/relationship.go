package connector

import (
	"encoding/json"
	"time"
)

// RelationshipKind is one of the canonical kinds of edge in the access graph.
type RelationshipKind string

// The canonical relationship kinds. The last three are additions to the source
// model, which cannot express nesting, containment and role assumption; see
// docs/decisions/0001-connector-contract-v1.md.
const (
	// PrincipalRepresentsAccount goes from a Principal to an Account it acts through.
	PrincipalRepresentsAccount RelationshipKind = "principal_represents_account"
	// AccountAssignedEntitlement goes from an Account to an Entitlement it holds.
	AccountAssignedEntitlement RelationshipKind = "account_assigned_entitlement"
	// EntitlementGrantsResource goes from an Entitlement to a Resource it speaks of.
	EntitlementGrantsResource RelationshipKind = "entitlement_grants_resource"
	// EntitlementIncludesEntitlement goes from a containing Entitlement (a group)
	// to one whose access its holders thereby have (an attached policy).
	EntitlementIncludesEntitlement RelationshipKind = "entitlement_includes_entitlement"
	// BoundaryContains goes from a CloudAccountBoundary to a boundary, account or
	// resource directly inside it.
	BoundaryContains RelationshipKind = "boundary_contains"
	// AccountAssumesAccount goes from an Account to another whose identity it may take.
	AccountAssumesAccount RelationshipKind = "account_assumes_account"
)

// Ends says which entity kinds may stand at the two ends of a relationship kind.
type Ends struct {
	From []EntityKind
	To   []EntityKind
}

// EndsOf returns the kinds allowed at the ends of k; ok is false for a kind
// that is not canonical.
func EndsOf(k RelationshipKind) (ends Ends, ok bool) {
	switch k {
	case PrincipalRepresentsAccount:
		return Ends{[]EntityKind{Principal}, []EntityKind{Account}}, true
	case AccountAssignedEntitlement:
		return Ends{[]EntityKind{Account}, []EntityKind{Entitlement}}, true
	case EntitlementGrantsResource:
		return Ends{[]EntityKind{Entitlement}, []EntityKind{Resource}}, true
	case EntitlementIncludesEntitlement:
		return Ends{[]EntityKind{Entitlement}, []EntityKind{Entitlement}}, true
	case BoundaryContains:
		return Ends{[]EntityKind{CloudAccountBoundary}, []EntityKind{CloudAccountBoundary, Account, Resource}}, true
	case AccountAssumesAccount:
		return Ends{[]EntityKind{Account}, []EntityKind{Account}}, true
	}
	return Ends{}, false
}

// RelationshipKinds lists the kinds in the order the documentation uses.
// Callers get their own copy.
func RelationshipKinds() []RelationshipKind {
	return []RelationshipKind{
		PrincipalRepresentsAccount, AccountAssignedEntitlement, EntitlementGrantsResource,
		EntitlementIncludesEntitlement, BoundaryContains, AccountAssumesAccount,
	}
}

// Relationship is one edge of the access graph as a connector observed it.
type Relationship struct {
	Kind RelationshipKind `json:"kind"`
	From Ref              `json:"from"`
	To   Ref              `json:"to"`
	// Key tells apart several relationships of one kind between the same two
	// ends, such as two statements of one policy. Empty when there is only
	// one. Up to [MaxKeyBytes] bytes.
	Key string `json:"key,omitempty"`
	// Terms says on what terms the access is given. Nil means allowed, directly,
	// without conditions or expiry.
	Terms *Terms `json:"terms,omitempty"`
	// Attributes is a JSON object of at most [MaxAttributesBytes] bytes that
	// holds no secret. Nil is the same as an empty object.
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// Effect says whether a relationship gives access or takes it away.
type Effect string

// The effects. The zero value means [Allow].
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
)

// Given says how the access came to its holder.
type Given string

// The ways of giving. The zero value means [Direct].
const (
	Direct    Given = "direct"
	Eligible  Given = "eligible"
	Inherited Given = "inherited"
)

// Terms are the conditions of an assignment or grant, in the provider's own
// names for actions and conditions.
type Terms struct {
	Effect Effect `json:"effect,omitempty"`
	// Actions that are covered, wildcards included. Empty means all the
	// entitlement stands for.
	Actions []string `json:"actions,omitempty"`
	// NotActions are excepted: the terms cover everything but these.
	NotActions []string `json:"not_actions,omitempty"`
	// Conditions in the provider's own JSON form.
	Conditions json.RawMessage `json:"conditions,omitempty"`
	Given      Given           `json:"given,omitempty"`
	ExpiresAt  *time.Time      `json:"expires_at,omitempty"`
}

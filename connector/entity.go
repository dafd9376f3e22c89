package connector

import "encoding/json"

// EntityKind is one of the five canonical kinds of node in the access graph.
type EntityKind string

// The canonical entity kinds.
const (
	// Principal is who or what acts: a person, a workload, an outside party.
	Principal EntityKind = "Principal"
	// Account is an identity that can act inside one system.
	Account EntityKind = "Account"
	// Entitlement is something assignable that gives access.
	Entitlement EntityKind = "Entitlement"
	// Resource is what is reached: one thing, or a pattern of things.
	Resource EntityKind = "Resource"
	// CloudAccountBoundary is an administrative container on the provider's side.
	CloudAccountBoundary EntityKind = "CloudAccountBoundary"
)

// EntityKinds lists the kinds in the order the documentation uses. Callers get
// their own copy.
func EntityKinds() []EntityKind {
	return []EntityKind{Principal, Account, Entitlement, Resource, CloudAccountBoundary}
}

// Ref names an entity inside one connection.
type Ref struct {
	Kind EntityKind `json:"kind"`
	// ID is the provider's immutable id, case-folded by the connector where
	// the provider is case-insensitive. 1 to [MaxIDBytes] bytes of UTF-8.
	ID string `json:"id"`
}

// Entity is one node of the access graph as a connector observed it.
type Entity struct {
	Ref
	// Name is what a person calls it. Up to [MaxNameBytes] bytes.
	Name string `json:"name,omitempty"`
	// Type is the provider's own term for it, such as "iam_user" or "bucket".
	Type string `json:"type,omitempty"`
	// Identifiers join principals across systems. Up to [MaxIdentifiers].
	Identifiers []Identifier `json:"identifiers,omitempty"`
	// Attributes is a JSON object of at most [MaxAttributesBytes] bytes that
	// holds no secret. Nil is the same as an empty object.
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// IdentifierType says what an [Identifier] is; strong types may join
// principals of different systems into one person.
type IdentifierType string

// The identifier types.
const (
	// Email is a mail address. One that the provider has not verified, or does
	// not say so of, is [Identifier.Unverified].
	Email IdentifierType = "email"
	// UserPrincipalName is a directory sign-in name, such as Entra's UPN.
	UserPrincipalName IdentifierType = "upn"
	// EmployeeID is the number a personnel system gave.
	EmployeeID IdentifierType = "employee_id"
	// ImmutableID is a directory's own unchanging anchor, such as an Entra object id.
	ImmutableID IdentifierType = "immutable_id"
)

// Identifier is one name by which another system may know the same principal.
// Connectors give values as the provider writes them; the platform compares
// their normal forms.
type Identifier struct {
	Type  IdentifierType `json:"type"`
	Value string         `json:"value"`
	// Unverified says that whoever administers the provider's side could have
	// written any value. It joins nobody by itself: else an address that somebody
	// typed would make two people one.
	Unverified bool `json:"unverified,omitzero"`
}

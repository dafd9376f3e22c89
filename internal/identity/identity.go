package identity

import (
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identifier"
)

// Bounds of what is shown of one identity. What is left out is said.
const (
	// MaxPrincipals is how many principals.
	MaxPrincipals = 200
	// MaxAccounts is how many accounts of each principal.
	MaxAccounts = 100
	// MaxReasons is how many others each reason names.
	MaxReasons = 20
	// MaxCandidates is how many others that may be the same.
	MaxCandidates = 50
)

// Summary is an identity in a list.
type Summary struct {
	graph.Identity
	// Lead is the principal that stands for the identity in the list.
	Lead graph.EntityID
	// Connections that one of its principals is in.
	Connections []id.Connection
}

// Detail is an identity with what it consists of.
type Detail struct {
	graph.Identity
	Principals []Principal
	// MorePrincipals says that there are more than are shown.
	MorePrincipals bool
	// Candidates are others that share something with it that did not join them.
	Candidates     []Candidate
	MoreCandidates bool
	AsOf           time.Time
}

// Principal is one principal of an identity.
type Principal struct {
	graph.Entity
	// Member says since when it belongs to the identity and what made it so; nil
	// when it has always been by itself.
	Member *Membership
	// Known is what it is known by, and with whom of the identity it shares it.
	Known []Known
	// Joins are the corrections that joined it with others.
	Joins []Correction
	// Accounts that it acts through, in order of id.
	Accounts     []graph.Entity
	MoreAccounts bool
}

// Membership is since when a principal belongs to an identity.
type Membership struct {
	Since time.Time
	Cause Cause
}

// Cause is what changed an identity: a run that was published, or a correction.
// Both are zero when a connection was deleted.
type Cause struct {
	Run        id.Run
	Correction id.Correction
}

// Known is an identifier of a principal and what it does.
type Known struct {
	Type  connector.IdentifierType
	Value string
	// Standing is as the connection gives it; Trusted says that the connection's
	// unverified identifiers are believed.
	Standing identifier.Standing
	Trusted  bool
	// Shared says that too many hold it for it to join anybody.
	Shared bool
	// Run saw it first, and Since is when that was published.
	Run   id.Run
	Since time.Time
	// With are the other principals of the identity that hold it.
	With []graph.EntityID
}

// Joins reports whether the identifier may join principals.
func (k Known) Joins() bool {
	return !k.Shared && (k.Standing == identifier.Verified || k.Standing == identifier.Unverified && k.Trusted)
}

// Obstacle says why something in common did not join.
type Obstacle string

// The obstacles.
const (
	// NotVerified means that one of both sides is not verified.
	NotVerified Obstacle = "unverified"
	// HeldByTooMany means that it names no one in particular.
	HeldByTooMany Obstacle = "shared"
	// NamesAPost means that it names a post or is a placeholder.
	NamesAPost Obstacle = "weak"
	// KeptApart means that somebody split them.
	KeptApart Obstacle = "split"
)

// Candidate is another identity that has something in common with one.
type Candidate struct {
	graph.Identity
	// Principal is the other's, Own the identity's own; both hold the identifier.
	Principal, Own graph.EntityID
	Type           connector.IdentifierType
	Value          string
	Obstacle       Obstacle
	// Split is the correction that keeps them apart.
	Split id.Correction
}

// Kind is what a correction does.
type Kind string

// The kinds of correction.
const (
	Join     Kind = "join"
	Split    Kind = "split"
	Trust    Kind = "trust"
	Distrust Kind = "distrust"
)

// Correction is what somebody decided.
type Correction struct {
	ID     id.Correction
	Kind   Kind
	Reason string
	By     id.Member
	At     time.Time
}

// Change is one principal's coming to an identity, or leaving it.
type Change struct {
	At         time.Time
	Principal  graph.EntityID
	Name       string
	Connection id.Connection
	// Joined is true for coming.
	Joined bool
	// Other is the identity that it came from or went to; zero when it is not
	// known any more.
	Other graph.IdentityID
	Cause Cause
	// Correction is the cause in full, when it is one.
	Correction *Correction
}

// Position returns the change's place in a history.
func (c Change) Position() ChangePosition {
	return ChangePosition{At: c.At, Principal: c.Principal, Joined: c.Joined}
}

// ChangePosition is a place in a history, which is in descending order of moment,
// principal, and coming before leaving.
type ChangePosition struct {
	At        time.Time
	Principal graph.EntityID
	Joined    bool
}

// Filter narrows a list; zero fields do not narrow.
type Filter struct {
	Name, NamePrefix string
	// Identifier is a value of any type, in any form.
	Identifier string
	Connection id.Connection
	// Joined shows only those of several principals.
	Joined bool
	// AsOf is the moment that the list shows.
	AsOf  graph.Moment
	After *graph.EntityPosition
	Limit int
}

// Source is a connection whose unverified identifiers are believed.
type Source struct {
	Connection id.Connection
	Correction Correction
}

// Parts is what a split made of an identity.
type Parts struct {
	// Kept has those that were not named.
	Kept Detail
	// Split has those that were, by identity.
	Split []Detail
}

package identity

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/identity"
)

// Summary is an identity in a list.
type Summary struct {
	entity.IdentityRef
	ConnectionIDs []id.Connection `json:"connection_ids" nullable:"false" doc:"The connections that one of its principals is in."`
}

// Identity is an identity with all that belongs to it, and why.
type Identity struct {
	entity.IdentityRef
	Principals     []Principal `json:"principals" nullable:"false" doc:"At most 200, in order of id."`
	MorePrincipals bool        `json:"more_principals,omitempty"`
	Candidates     []Candidate `json:"candidates" nullable:"false" doc:"Others that share an identifier which did not join them; at most 50."`
	MoreCandidates bool        `json:"more_candidates,omitempty"`
	AsOf           time.Time   `json:"as_of"`
}

// Principal is one principal of an identity.
type Principal struct {
	entity.Ref
	ConnectionID  id.Connection `json:"connection_id"`
	IntegrationID string        `json:"integration_id"`
	Since         *time.Time    `json:"since" doc:"Since when it belongs to the identity; null when it has always been by itself."`
	Cause         Cause         `json:"cause"`
	Identifiers   []Known       `json:"identifiers" nullable:"false" doc:"What it is known by, and what that does."`
	Joins         []Correction  `json:"joins" nullable:"false" doc:"The corrections that joined it with others."`
	Accounts      []entity.Ref  `json:"accounts" nullable:"false" doc:"The accounts that it acts through; at most 100."`
	MoreAccounts  bool          `json:"more_accounts,omitempty"`
}

// Cause is what changed an identity.
type Cause struct {
	RunID        id.Run        `json:"run_id,omitzero" doc:"The run whose publication changed it."`
	CorrectionID id.Correction `json:"correction_id,omitzero" doc:"The correction that did."`
}

// Known is an identifier of a principal.
type Known struct {
	Type           string    `json:"type" enum:"email,upn,employee_id,immutable_id"`
	Value          string    `json:"value" doc:"In the form that is compared."`
	Standing       string    `json:"standing" enum:"verified,unverified,weak" doc:"Weak: of a post, or a placeholder."`
	Trusted        bool      `json:"trusted" doc:"Whether the connection's unverified identifiers are believed."`
	Shared         bool      `json:"shared" doc:"Whether too many hold it for it to join anybody."`
	Joins          bool      `json:"joins" doc:"Whether it joins whoever holds it."`
	SharedWith     []string  `json:"shared_with" nullable:"false" doc:"The other principals of the identity that hold it; at most 20."`
	FirstSeenRunID id.Run    `json:"first_seen_run_id"`
	Since          time.Time `json:"since"`
}

// Candidate is another identity that may be the same.
type Candidate struct {
	entity.IdentityRef
	PrincipalID    string        `json:"principal_id" doc:"The other's principal that holds the identifier."`
	OwnPrincipalID string        `json:"own_principal_id" doc:"The identity's own that does."`
	Type           string        `json:"type" enum:"email,upn,employee_id,immutable_id"`
	Value          string        `json:"value"`
	Obstacle       string        `json:"obstacle" enum:"unverified,shared,weak,split" doc:"Why it did not join them."`
	SplitID        id.Correction `json:"split_id,omitzero" doc:"The correction that keeps both principals apart."`
}

// Correction is what somebody decided.
type Correction struct {
	CorrectionID id.Correction `json:"correction_id"`
	Kind         string        `json:"kind" enum:"join,split,trust,distrust"`
	Reason       string        `json:"reason"`
	MadeBy       id.Member     `json:"made_by"`
	MadeAt       time.Time     `json:"made_at"`
}

// Change is a principal's coming to an identity or leaving it.
type Change struct {
	At           time.Time     `json:"at"`
	Change       string        `json:"change" enum:"joined,left"`
	PrincipalID  string        `json:"principal_id"`
	Name         string        `json:"name" doc:"Empty when the principal is gone."`
	ConnectionID id.Connection `json:"connection_id"`
	Other        *string       `json:"other_identity_id" doc:"The identity that it came from or went to; null when it left the graph."`
	Cause        Cause         `json:"cause"`
	Correction   *Correction   `json:"correction"`
}

// Parts is what a split made.
type Parts struct {
	Identity Identity   `json:"identity" doc:"With those that stayed."`
	Split    []Identity `json:"split" nullable:"false" doc:"With those that left."`
}

// Source is a connection whose unverified identifiers are believed.
type Source struct {
	ConnectionID id.Connection `json:"connection_id"`
	Correction   Correction    `json:"correction"`
}

func show(d domain.Detail) Identity {
	shown := Identity{
		IdentityRef: entity.IdentityRefTo(d.Identity), Principals: []Principal{}, MorePrincipals: d.MorePrincipals, Candidates: []Candidate{},
		MoreCandidates: d.MoreCandidates, AsOf: d.AsOf.UTC(),
	}
	for _, p := range d.Principals {
		shown.Principals = append(shown.Principals, showPrincipal(p))
	}
	for _, c := range d.Candidates {
		shown.Candidates = append(shown.Candidates, Candidate{
			IdentityRef: entity.IdentityRefTo(c.Identity), PrincipalID: c.Principal.String(), OwnPrincipalID: c.Own.String(), Type: string(c.Type), Value: c.Value,
			Obstacle: string(c.Obstacle), SplitID: c.Split,
		})
	}
	return shown
}

func showPrincipal(p domain.Principal) Principal {
	shown := Principal{
		Ref: entity.RefTo(p.Entity), ConnectionID: p.Connection, IntegrationID: string(p.Integration), Identifiers: []Known{}, Joins: []Correction{},
		Accounts: []entity.Ref{}, MoreAccounts: p.MoreAccounts,
	}
	if p.Member != nil {
		since := p.Member.Since.UTC()
		shown.Since, shown.Cause = &since, showCause(p.Member.Cause)
	}
	for _, k := range p.Known {
		known := Known{
			Type: string(k.Type), Value: k.Value, Standing: string(k.Standing), Trusted: k.Trusted, Shared: k.Shared, Joins: k.Joins(),
			SharedWith: []string{}, FirstSeenRunID: k.Run, Since: k.Since.UTC(),
		}
		for _, w := range k.With {
			known.SharedWith = append(known.SharedWith, w.String())
		}
		shown.Identifiers = append(shown.Identifiers, known)
	}
	for _, c := range p.Joins {
		shown.Joins = append(shown.Joins, showCorrection(c))
	}
	for _, a := range p.Accounts {
		shown.Accounts = append(shown.Accounts, entity.RefTo(a))
	}
	return shown
}

func showCause(c domain.Cause) Cause { return Cause{RunID: c.Run, CorrectionID: c.Correction} }

func showCorrection(c domain.Correction) Correction {
	return Correction{CorrectionID: c.ID, Kind: string(c.Kind), Reason: c.Reason, MadeBy: c.By, MadeAt: c.At.UTC()}
}

func showChange(c domain.Change) Change {
	shown := Change{At: c.At.UTC(), Change: "left", PrincipalID: c.Principal.String(), Name: c.Name, ConnectionID: c.Connection, Cause: showCause(c.Cause)}
	if c.Joined {
		shown.Change = "joined"
	}
	if c.Other != (graph.IdentityID{}) {
		other := c.Other.String()
		shown.Other = &other
	}
	if c.Correction != nil {
		made := showCorrection(*c.Correction)
		shown.Correction = &made
	}
	return shown
}

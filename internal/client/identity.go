package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// JoinedIdentity is the principals that are one person or workload.
type JoinedIdentity struct {
	IdentityID     string              `json:"identity_id"`
	Name           string              `json:"name"`
	PrincipalCount int                 `json:"principal_count"`
	ConnectionIDs  []string            `json:"connection_ids"`
	Principals     []IdentityPrincipal `json:"principals"`
	MorePrincipals bool                `json:"more_principals"`
	Candidates     []IdentityCandidate `json:"candidates"`
	MoreCandidates bool                `json:"more_candidates"`
}

// IdentityPrincipal is one principal of an identity, and why.
type IdentityPrincipal struct {
	EntityRef
	ConnectionID string               `json:"connection_id"`
	Since        *time.Time           `json:"since"`
	Identifiers  []IdentityIdentifier `json:"identifiers"`
	Joins        []IdentityCorrection `json:"joins"`
	Accounts     []EntityRef          `json:"accounts"`
	MoreAccounts bool                 `json:"more_accounts"`
}

// IdentityIdentifier is what a principal is known by.
type IdentityIdentifier struct {
	Type  string `json:"type"`
	Value string `json:"value"`
	// Standing is verified, unverified or weak.
	Standing       string   `json:"standing"`
	Shared         bool     `json:"shared"`
	Joins          bool     `json:"joins"`
	SharedWith     []string `json:"shared_with"`
	FirstSeenRunID string   `json:"first_seen_run_id"`
}

// IdentityCandidate is another identity that may be the same.
type IdentityCandidate struct {
	IdentityID string `json:"identity_id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Value      string `json:"value"`
	// Obstacle is unverified, shared, weak or split.
	Obstacle string `json:"obstacle"`
}

// IdentityCorrection is what somebody decided.
type IdentityCorrection struct {
	CorrectionID string    `json:"correction_id"`
	Kind         string    `json:"kind"`
	Reason       string    `json:"reason"`
	MadeBy       string    `json:"made_by"`
	MadeAt       time.Time `json:"made_at"`
}

// IdentityChange is a principal's coming to an identity or leaving it.
type IdentityChange struct {
	At time.Time `json:"at"`
	// Change is joined or left.
	Change       string  `json:"change"`
	PrincipalID  string  `json:"principal_id"`
	Name         string  `json:"name"`
	ConnectionID string  `json:"connection_id"`
	Other        *string `json:"other_identity_id"`
	Cause        struct {
		RunID        string `json:"run_id"`
		CorrectionID string `json:"correction_id"`
	} `json:"cause"`
	Correction *IdentityCorrection `json:"correction"`
}

// IdentityParts is what a split made.
type IdentityParts struct {
	Identity JoinedIdentity   `json:"identity"`
	Split    []JoinedIdentity `json:"split"`
}

// IdentityFilter narrows a list of identities; empty fields do not narrow.
type IdentityFilter struct {
	Name, NamePrefix, Identifier, Connection, AsOf string
	Joined                                         bool
}

// Identities lists identities.
func (c *Client) Identities(ctx context.Context, f IdentityFilter, pages Pages) (List[JoinedIdentity], error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"name": f.Name, "name_prefix": f.NamePrefix, "identifier": f.Identifier, "connection_id": f.Connection, "as_of": f.AsOf,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Joined {
		q.Set("joined", "true")
	}
	return list[JoinedIdentity](ctx, c, "/v1/identities", "identities", q, pages)
}

func identityPath(id, below string) string { return "/v1/identities/" + url.PathEscape(id) + below }

// JoinedIdentity returns an identity as of a moment, or now when that is empty.
func (c *Client) JoinedIdentity(ctx context.Context, id, asOf string) (Answer[JoinedIdentity], error) {
	q := url.Values{}
	if asOf != "" {
		q.Set("as_of", asOf)
	}
	return send[JoinedIdentity](ctx, c, call{method: http.MethodGet, path: identityPath(id, ""), query: q})
}

// IdentityHistory lists who came to an identity and left it.
func (c *Client) IdentityHistory(ctx context.Context, id string, pages Pages) (List[IdentityChange], error) {
	return list[IdentityChange](ctx, c, identityPath(id, "/history"), "changes", url.Values{}, pages)
}

// JoinIdentities makes others one with an identity.
func (c *Client) JoinIdentities(ctx context.Context, id string, others []string, reason string) (Answer[JoinedIdentity], error) {
	body := map[string]any{"identity_ids": others, "reason": reason}
	return send[JoinedIdentity](ctx, c, call{method: http.MethodPost, path: identityPath(id, "/join"), body: body})
}

// SplitIdentity takes principals out of an identity.
func (c *Client) SplitIdentity(ctx context.Context, id string, principals []string, reason string) (Answer[IdentityParts], error) {
	body := map[string]any{"principal_ids": principals, "reason": reason}
	return send[IdentityParts](ctx, c, call{method: http.MethodPost, path: identityPath(id, "/split"), body: body})
}

// IdentitySources are the connections whose unverified identifiers are believed.
type IdentitySources struct {
	Sources []struct {
		ConnectionID string             `json:"connection_id"`
		Correction   IdentityCorrection `json:"correction"`
	} `json:"identity_sources"`
}

// IdentitySources lists them.
func (c *Client) IdentitySources(ctx context.Context) (Answer[IdentitySources], error) {
	return send[IdentitySources](ctx, c, call{method: http.MethodGet, path: "/v1/identity-sources"})
}

// TrustIdentities begins or ends the trust in a connection's identifiers, with a
// reason that may be empty.
func (c *Client) TrustIdentities(ctx context.Context, connection string, trusted bool, reason string) error {
	k := call{method: http.MethodPut, path: "/v1/identity-sources/" + url.PathEscape(connection)}
	switch {
	case !trusted:
		k.method, k.query = http.MethodDelete, url.Values{}
		if reason != "" {
			k.query.Set("reason", reason)
		}
	case reason != "":
		k.body = map[string]any{"reason": reason}
	}
	_, err := send[struct{}](ctx, c, k)
	return err
}

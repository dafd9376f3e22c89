package xero

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/checkup"
)

// mostProbed bounds how many organisations a check looks into.
const mostProbed = 10

// Identify names what is reached: the one organisation in scope, or, of several, the
// consent that they were connected by.
func (s *session) Identify(ctx context.Context) (connector.Identity, error) {
	list, _, err := s.organisations(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	return s.identity(list)
}

func (s *session) identity(list []connected) (connector.Identity, error) {
	who := s.held.User
	if who == "" {
		who = s.held.ClientID
	}
	switch len(list) {
	case 0:
		return connector.Identity{}, &connector.Error{
			Category: connector.ConsentRequired, Message: "the app is connected to none of the organisations in scope; consent for one, or change tenant_ids",
		}
	case 1:
		return connector.Identity{Target: connector.Target{ID: list[0].TenantID, Name: list[0].TenantName, Type: "organisation"}, ActsAs: who}, nil
	}
	if who == "" || s.held.ClientID == "" {
		return connector.Identity{}, &connector.Error{Category: connector.ScopeInvalid, Message: "the app reaches several organisations and the token does not tell whose consent it is; name one in tenant_ids"}
	}
	return connector.Identity{Target: connector.Target{ID: "consent/" + s.held.ClientID + "/" + who, Name: "Several organisations", Type: "consent"}, ActsAs: who}, nil
}

// Check gets a token, lists the organisations, and makes one call for each stream in
// the first of them.
func (s *session) Check(ctx context.Context) (connector.CheckResult, error) {
	list, absent, err := s.organisations(ctx)
	if err != nil {
		return connector.CheckResult{}, err
	}
	identity, err := s.identity(list)
	if err != nil {
		return connector.CheckResult{}, err
	}
	result := connector.CheckResult{Target: identity.Target, ActsAs: identity.ActsAs, Granted: s.held.Scope}
	var findings checkup.Findings
	for _, id := range absent {
		findings.Note(notConnected(id), streamUsers)
	}
	switch {
	case s.held.lacks(permSettings):
		findings.Note(lacking(), streamUsers)
	default:
		for _, c := range list[:min(len(list), mostProbed)] {
			var ignored struct{ Status string }
			for _, stream := range []string{streamOrganisations, streamUsers} {
				err := s.get(ctx, pathOf(stream), c.TenantID, &ignored)
				if err == nil {
					continue
				}
				e := denied(err)
				if e == nil {
					return connector.CheckResult{}, err
				}
				findings.Note(e, stream)
			}
		}
	}
	streams := manifest().Streams
	result.Streams = findings.Outlook(streams, func(string) bool { return true })
	result.Sufficient = checkup.Sufficient(streams, result.Streams)
	for _, e := range findings.Errors() {
		result.Remediation = append(result.Remediation, remedy(e))
	}
	return result, nil
}

func remedy(e *connector.Error) connector.Remediation {
	message := "Missing " + e.Permission + " on " + e.On
	if e.On != "the app's consent" {
		message += ": " + e.Message
	}
	return connector.Remediation{
		Category: connector.RemedyPermissions, Message: message,
		Action: "Let somebody with the role Standard or Adviser in the organisation consent to the app with the scopes offline_access and " + permSettings + ", and store the refresh token that Xero gives; or take the organisation out of tenant_ids.",
	}
}

package aws

import (
	"net"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// caller is who signed a request.
type caller struct {
	account estate.Account
	arn     string // of the user, or of the assumed-role session
	userID  string
	// principal is the ARN that policies name: of the user, or of the role
	// behind a session.
	principal string
	user      *estate.User // nil for sessions
	role      *estate.Role // nil for users
	calls     int          // made with this session so far, this one included
	expires   time.Time    // of a session
}

// Requests are refused when signed longer ago, or further ahead, than this
// (S3 User Guide and IAM User Guide, "request time").
const (
	clockTolerance   = 5 * time.Minute
	clockToleranceS3 = 15 * time.Minute
)

// authenticate finds out who signed the call and whether they really did.
func (s *Simulator) authenticate(c *call, auth authorization, body []byte) *apiError {
	if c.service.name != auth.service {
		return c.service.badSignature.with("Credential should be scoped to correct service: '" + c.service.name + "'.")
	}
	secret, failure := s.identify(c, auth)
	if failure != nil {
		return failure
	}
	if failure := c.signedInTime(auth); failure != nil {
		return failure
	}
	if !auth.verify(c.request, body, secret) {
		return &c.service.badSignature
	}
	if c.caller.role != nil && c.at.After(c.caller.expires) {
		return &c.service.expiredToken
	}
	return nil
}

// identify looks the access key up and fills in the caller.
func (s *Simulator) identify(c *call, auth authorization) (secret string, failure *apiError) {
	if found, ok := s.sessions.use(auth.keyID); ok {
		if c.request.Header.Get("X-Amz-Security-Token") != found.token {
			return "", &c.service.unknownKey
		}
		account := s.Estate().Organization.Accounts[found.account]
		c.caller = caller{
			account: account, role: found.role, principal: found.role.ARN, calls: found.calls, expires: found.expires, userID: found.role.ID + ":" + found.name,
			arn: "arn:aws:sts::" + account.ID + ":assumed-role/" + found.role.Name + "/" + found.name,
		}
		return found.secret, nil
	}
	found, ok := s.Estate().CredentialByKeyID(auth.keyID)
	if !ok || !found.Key.Active {
		return "", &c.service.unknownKey
	}
	account := s.Estate().Organization.Accounts[found.Account]
	if account.Suspended {
		return "", &c.service.unknownKey
	}
	c.caller = caller{account: account, user: found.User, principal: found.User.ARN, arn: found.User.ARN, userID: found.User.ID}
	return found.Secret, nil
}

func (c *call) signedInTime(auth authorization) *apiError {
	at, ok := auth.signedAt(c.request)
	if !ok {
		return c.service.badSignature.with("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	}
	tolerance := clockTolerance
	if c.service.name == "s3" {
		tolerance = clockToleranceS3
	}
	if age := c.at.Sub(at); age <= tolerance && age >= -tolerance {
		return nil
	}
	if c.service.name == "s3" {
		return &apiError{"RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."}
	}
	return c.service.badSignature.with("Signature expired: " + at.Format(timestampLayout) + " is now earlier than " +
		c.at.UTC().Add(-tolerance).Format(timestampLayout))
}

// context gives the condition keys that hold for any request of the caller.
func (s *Simulator) context(c *call) map[string]string {
	host, _, err := net.SplitHostPort(c.request.RemoteAddr)
	if err != nil {
		host = c.request.RemoteAddr
	}
	keys := map[string]string{
		"aws:sourceip": host, "aws:principalorgid": s.Estate().Organization.ID, "aws:principalarn": c.caller.principal,
		"aws:principalaccount": c.caller.account.ID, "aws:requestedregion": c.region, "aws:viaawsservice": "false", "aws:securetransport": "true",
	}
	if c.caller.user != nil {
		keys["aws:username"] = c.caller.user.Name
	}
	return keys
}

// documents are the identity policies of the caller.
func (s *Simulator) documents(c *call) (allowing []policy.Document, boundary *policy.Document) {
	inv := s.inventory(c)
	identities, bound := []estate.Identity{}, ""
	if c.caller.role != nil {
		identities, bound = append(identities, c.caller.role.Identity), c.caller.role.Boundary
	} else {
		identities, bound = append(identities, c.caller.user.Identity), c.caller.user.Boundary
		for _, name := range c.caller.user.Groups {
			if group, ok := inv.Group(name); ok {
				identities = append(identities, group.Identity)
			}
		}
	}
	for _, identity := range identities {
		for _, inline := range identity.Inline {
			allowing = append(allowing, inline.Document)
		}
		for _, arn := range identity.Attached {
			if attached, ok := inv.Policy(arn); ok {
				allowing = append(allowing, attached.DefaultVersion().Document)
			}
		}
	}
	// The first is whoever calls; groups follow.
	if given, ok := s.grants.of(identities[0].Name); ok {
		allowing = []policy.Document{given}
	}
	if limit, ok := inv.Policy(bound); ok {
		document := limit.DefaultVersion().Document
		boundary = &document
	}
	return allowing, boundary
}

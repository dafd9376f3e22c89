package aws

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

func (s *Simulator) stsOperations() operations {
	return operations{"GetCallerIdentity": s.getCallerIdentity, "AssumeRole": s.assumeRole}
}

func (s *Simulator) getCallerIdentity(c *call) (any, *apiError) {
	return queryAnswer(c, func(x *xmlDocument) {
		x.text("Arn", c.caller.arn)
		x.text("UserId", c.caller.userID)
		x.text("Account", c.caller.account.ID)
	}), nil
}

// Bounds of AssumeRole's parameters (STS API Reference).
const (
	shortestSession = 900
	longestChained  = 3600
	defaultSession  = 3600
)

// wellFormed says whether a parameter has an allowed length and only letters,
// digits, underscores and the given punctuation.
func wellFormed(value string, longest int, punctuation string) bool {
	if len(value) < 2 || len(value) > longest {
		return false
	}
	for _, r := range value {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
		if !letter && !strings.ContainsRune(punctuation, r) {
			return false
		}
	}
	return true
}

func (s *Simulator) assumeRole(c *call) (any, *apiError) {
	arn, name, externalID := c.form.Get("RoleArn"), c.form.Get("RoleSessionName"), c.form.Get("ExternalId")
	if !wellFormed(name, 64, "+=,.@-") {
		return nil, validation("RoleSessionName", name)
	}
	if c.form.Has("ExternalId") && !wellFormed(externalID, 1224, "+=,.@:/-") {
		return nil, validation("ExternalId", externalID)
	}
	account, role := s.roleByARN(arn)
	if role == nil || account.Suspended {
		// STS does not tell a missing role from one that does not trust.
		return nil, c.refusedRole(arn)
	}
	context := s.context(c)
	if c.form.Has("ExternalId") {
		context["sts:externalid"] = externalID
	}
	trusted, direct := role.Trust.Trusts(policy.Caller{ARN: c.caller.principal, Account: c.caller.account.ID}, "sts:AssumeRole", context)
	if trusted != policy.Allowed {
		return nil, c.refusedRole(arn)
	}
	if !(direct && account.ID == c.caller.account.ID) && s.permit(c, "sts:AssumeRole", arn) != nil {
		return nil, c.refusedRole(arn)
	}
	lifetime, failure := c.sessionLifetime(role)
	if failure != nil {
		return nil, failure
	}
	made := s.newSession(c.number, account.Index, role, name, lifetime)
	return queryAnswer(c, func(x *xmlDocument) {
		x.element("AssumedRoleUser", func() {
			x.text("AssumedRoleId", role.ID+":"+name)
			x.text("Arn", "arn:aws:sts::"+account.ID+":assumed-role/"+role.Name+"/"+name)
		})
		x.element("Credentials", func() {
			x.text("AccessKeyId", made.keyID)
			x.text("SecretAccessKey", made.secret)
			x.text("SessionToken", made.token)
			x.time("Expiration", made.expires)
		})
	}), nil
}

func validation(field, value string) *apiError {
	return &apiError{"ValidationError", 400, fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint", value, field)}
}

func (c *call) refusedRole(arn string) *apiError {
	return c.service.denied.with(fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.caller.arn, arn))
}

func (c *call) sessionLifetime(role *estate.Role) (time.Duration, *apiError) {
	seconds := defaultSession
	if given := c.form.Get("DurationSeconds"); given != "" {
		parsed, err := strconv.Atoi(given)
		if err != nil || parsed < shortestSession || parsed > 43200 {
			return 0, validation("DurationSeconds", given)
		}
		seconds = parsed
	}
	switch {
	case c.caller.role != nil && seconds > longestChained:
		return 0, &apiError{"ValidationError", 400, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"}
	case time.Duration(seconds)*time.Second > role.MaxSession:
		return 0, &apiError{"ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}
	}
	return time.Duration(seconds) * time.Second, nil
}

// roleByARN finds a role anywhere in the organisation.
func (s *Simulator) roleByARN(arn string) (estate.Account, *estate.Role) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" {
		return estate.Account{}, nil
	}
	account, ok := s.Estate().AccountByID(parts[4])
	if !ok {
		return estate.Account{}, nil
	}
	role, ok := s.Estate().Inventory(account.Index).Role(arn[strings.LastIndex(arn, "/")+1:])
	if !ok || role.ARN != arn {
		return account, nil
	}
	return account, role
}

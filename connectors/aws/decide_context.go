package aws

import (
	"strings"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

const principalTag = "aws:PrincipalTag/"

// contextOf is what the records tell of a request's context (IAM user guide,
// "AWS global condition context keys"). What depends on how the request is made
// stays unknown: address, time, MFA, the encryption of the way.
func contextOf(who holder, what target, from, to standing) policy.Context {
	var c policy.Context
	switch {
	case who.caller.Kind == policy.Service:
		c = c.With("aws:PrincipalServiceName", who.caller.ARN).With("aws:PrincipalIsAWSService", "true").With("aws:username")
	case who.caller.Kind == policy.Anyone:
		c = c.With("aws:PrincipalType", "Anonymous").With("aws:username").With("aws:PrincipalAccount").With("aws:PrincipalOrgID")
	case who.read:
		c = own(who, from)
	}
	if what.account != "" {
		c = c.With("aws:ResourceAccount", what.account)
		c = inOrganization(c, "Resource", to)
		if strings.Contains(what.arn, ":s3:") {
			c = c.With("s3:ResourceAccount", what.account)
		}
	}
	return c
}

// own is what a user, role or root user brings into its requests.
func own(who holder, from standing) (c policy.Context) {
	switch who.caller.Kind {
	case policy.User, policy.Root:
		if who.caller.Federating {
			// It has the name of its session, and the tags that it was begun with.
			c = c.With("aws:PrincipalType", "FederatedUser").With("aws:username")
			return inOrganization(c.With("aws:PrincipalAccount", who.account).With("aws:PrincipalIsAWSService", "false"), "Principal", from)
		}
	}
	switch who.caller.Kind {
	case policy.User:
		c = c.With("aws:PrincipalType", "User").With("aws:username", who.name).With("aws:userid", who.unique)
	case policy.Session:
		c = c.With("aws:PrincipalType", "AssumedRole").With("aws:username")
	case policy.Root:
		c = c.With("aws:PrincipalType", "Account").With("aws:username").With("aws:userid", who.account)
	}
	c = c.With("aws:PrincipalArn", who.caller.ARN).With("aws:PrincipalAccount", who.account).
		With("aws:PrincipalIsAWSService", "false").With("aws:PrincipalServiceName").With("aws:PrincipalServiceNamesList")
	if who.tagsKnown {
		c = tagged(c, who.tags)
	}
	return inOrganization(c, "Principal", from)
}

// tagged adds the tags of a user or role. Keys are compared without regard to
// case, and AWS stores none that differ in nothing else; of such it is not known
// which counts.
func tagged(c policy.Context, tags map[string]string) policy.Context {
	spelt := map[string]int{}
	for name := range tags {
		spelt[strings.ToLower(name)]++
	}
	doubted := false
	for name, value := range tags {
		if spelt[strings.ToLower(name)] > 1 {
			doubted = true
			continue
		}
		c = c.With(principalTag+name, value)
	}
	if doubted {
		return c
	}
	return c.WithoutOthers(principalTag)
}

// inOrganization adds where an account stands.
func inOrganization(c policy.Context, side string, s standing) policy.Context {
	if s.unread != "" || s.organization == "" {
		return c
	}
	var path strings.Builder
	path.WriteString(s.organization + "/")
	for _, e := range s.path[:len(s.path)-1] {
		path.WriteString(e.ID + "/")
	}
	return c.With("aws:"+side+"OrgID", s.organization).With("aws:"+side+"OrgPaths", path.String())
}

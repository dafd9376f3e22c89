package aws

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// actionOf names the IAM action that an operation needs, where it is not the
// operation's own name (Service Authorization Reference).
func actionOf(c *call) string {
	switch c.service.name + ":" + c.operation {
	case "s3:ListBuckets":
		return "s3:ListAllMyBuckets"
	case "s3:GetPublicAccessBlock":
		return "s3:GetBucketPublicAccessBlock"
	}
	return c.service.prefix + ":" + c.operation
}

func (s *Simulator) resourceOf(c *call) string {
	switch {
	case c.bucket != "":
		return "arn:aws:s3:::" + c.bucket
	case c.function != "":
		return "arn:aws:lambda:" + c.region + ":" + c.caller.account.ID + ":function:" + c.function
	default:
		return "*"
	}
}

// authorize decides whether the caller may do what it asks: service control
// policies, then the permissions boundary, then its own policies.
// AssumeRole is decided where the trust policy is known; GetCallerIdentity
// needs no permission.
func (s *Simulator) authorize(c *call) *apiError {
	if c.service.name == "sts" {
		return nil
	}
	return s.permit(c, actionOf(c), s.resourceOf(c))
}

func (s *Simulator) permit(c *call, action, resource string) *apiError {
	request := policy.Request{Action: action, Resource: resource, Context: s.context(c)}
	for _, level := range s.Estate().Organization.ControlsOn(c.caller.account) {
		switch policy.Evaluate(request, level...) {
		case policy.ExplicitDeny:
			return c.refused(action, resource, "with an explicit deny in a service control policy")
		case policy.ImplicitDeny:
			return c.refused(action, resource, "because no service control policy allows the "+action+" action")
		}
	}
	documents, boundary := s.documents(c)
	if boundary != nil {
		switch policy.Evaluate(request, *boundary) {
		case policy.ExplicitDeny:
			return c.refused(action, resource, "with an explicit deny in a permissions boundary")
		case policy.ImplicitDeny:
			return c.refused(action, resource, "because no permissions boundary allows the "+action+" action")
		}
	}
	switch policy.Evaluate(request, documents...) {
	case policy.ExplicitDeny:
		return c.refused(action, resource, "with an explicit deny in an identity-based policy")
	case policy.ImplicitDeny:
		return c.refused(action, resource, "because no identity-based policy allows the "+action+" action")
	default:
		return nil
	}
}

// refused words a refusal as AWS does (IAM User Guide, "Troubleshoot access
// denied error messages").
func (c *call) refused(action, resource, reason string) *apiError {
	on := ""
	if resource != "*" || c.service.name == "iam" {
		on = " on resource: " + resource
	}
	return c.service.denied.with(fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", c.caller.arn, action, on, reason))
}

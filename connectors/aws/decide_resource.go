package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// target is what a request is about.
type target struct {
	arn, account string
	policies     policy.Layer
	// decides says that without its own policy nobody may do anything.
	decides bool
}

// resource finds what a request's resource is, whose it is, and its policy.
func (d decider) resource(action, arn string, who holder) (target, error) {
	t := target{arn: arn}
	parts := strings.SplitN(arn, ":", arnParts)
	if arn == "*" {
		t.account = who.account
		return t, nil
	}
	if len(parts) < arnParts {
		t.policies.Unread = []string{arn + " is no ARN, so that it is not known what policies it has"}
		return t, nil
	}
	t.account = parts[4]
	switch service := parts[2]; service {
	case "s3":
		bucket, _, inside := strings.Cut(parts[5], "/")
		if !inside && onObjects(action) {
			t.arn = arn + "/*" // any object of it
		}
		return t, d.stored(&t, strings.Join(parts[:5], ":")+":"+bucket, streamS3)
	case "lambda":
		function := strings.Join(slices.Concat(parts[:5], firstTwo(parts[5])), ":")
		return t, d.stored(&t, function, streamLambda)
	case "iam":
		if strings.HasPrefix(parts[5], "role/") && strings.HasPrefix(strings.ToLower(action), "sts:") {
			return t, d.trusting(&t)
		}
	case "kms":
		t.decides = true
		t.policies.Unread = []string{"the policies of keys are not read"}
	default:
		if !slices.Contains(withoutResourcePolicies(), service) {
			t.policies.Unread = []string{"the policies of resources of the service " + service + " are not read"}
		}
	}
	return t, nil
}

// firstTwo are "function" and the name, without version or alias.
func firstTwo(rest string) []string {
	parts := strings.Split(rest, ":")
	return parts[:min(2, len(parts))]
}

// withoutResourcePolicies are services whose resources have no policies of
// their own (IAM user guide, "AWS services that work with IAM").
func withoutResourcePolicies() []string {
	return []string{"ec2", "autoscaling", "elasticloadbalancing", "cloudformation", "rds", "route53", "support", "sso", "identitystore", "organizations"}
}

// onObjects reports whether an action is taken on objects of a bucket (Service
// authorization reference, "Actions, resources, and condition keys for Amazon
// S3").
func onObjects(action string) bool {
	name, ok := strings.CutPrefix(strings.ToLower(action), "s3:")
	switch name {
	case "getbucketobjectlockconfiguration", "putbucketobjectlockconfiguration":
		return false
	case "abortmultipartupload", "listmultipartuploadparts":
		return true
	}
	return ok && strings.Contains(name, "object")
}

// stored takes account and policy of a bucket or function from its record.
func (d decider) stored(t *target, id, stream string) error {
	e, found, err := d.records.Entity(d.ctx, resourceRef(id))
	if err != nil {
		return err
	}
	if !found {
		t.policies.Unread = []string{id + " is not among what was read, so that its policy is not known"}
		return nil
	}
	a := described[struct {
		Account string          `json:"account"`
		Policy  json.RawMessage `json:"policy"`
		Status  string          `json:"policy_status"`
	}](e)
	t.account = a.Account
	switch a.Status {
	case policyNone:
	case policyRead:
		add(&t.policies, "policy of "+e.Name, e.ID, a.Policy)
	default:
		t.policies.Unread = []string{"the policy of " + e.Name + " could not be read"}
	}
	return nil
}

// trusting finds the role that a request for sts is about, by its name.
func (d decider) trusting(t *target) error {
	name := t.arn[strings.LastIndexByte(t.arn, '/')+1:]
	named, whole, err := d.records.Named(d.ctx, connector.Account, name)
	if err != nil {
		return err
	}
	t.decides = true
	for _, e := range named {
		if a := described[identityAttributes](e); e.Type == typeRole && a.ARN == t.arn {
			t.trusted(e.ID, e.Name, a.TrustPolicy)
			return nil
		}
	}
	t.policies.Unread = []string{"the role " + t.arn + " is not among what was read, so that its trust policy is not known"}
	if !whole {
		t.policies.Unread = []string{"more roles are called " + name + " than a decision looks at"}
	}
	return nil
}

// trusted makes a role's trust policy the target's.
func (t *target) trusted(id, name string, trust json.RawMessage) {
	t.decides = true
	add(&t.policies, "trust policy of "+name, id, trust)
}

package aws

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// The types of accounts and entitlements that decisions look into.
const (
	typeUser           = "iam_user"
	typeRole           = "iam_role"
	typeRootUser       = "aws_account_root"
	typeGroup          = "iam_group"
	typeManagedPolicy  = "iam_managed_policy"
	typeAWSPolicy      = "aws_managed_policy"
	typeInlinePolicy   = "iam_inline_policy"
	typeDirectoryUser  = "identity_center_user"
	typeDirectoryGroup = "identity_center_group"
	typePermissionSet  = "permission_set"
)

// holder is an identity with what it holds.
type holder struct {
	ref     connector.Ref
	caller  policy.Caller
	account string
	// unique is its unique id, tags those of the user or role.
	unique, name string
	tags         map[string]string
	// read says that it was read as a user or role, tagsKnown that all tags
	// of its requests are those in tags.
	read, tagsKnown bool
	policies        policy.Layer
	boundary        *policy.Layer
	// session is the policy of the session; nil for one without.
	session *policy.Layer
	// outsideControls says that control policies do not apply to it, whatever
	// its account.
	outsideControls bool
	trust           json.RawMessage
}

// identityAttributes is what the streams write of users and roles.
type identityAttributes struct {
	ARN         string            `json:"arn"`
	Path        string            `json:"path"`
	Account     string            `json:"account"`
	Boundary    string            `json:"permissions_boundary"`
	BoundaryID  string            `json:"permissions_boundary_id"`
	Tags        map[string]string `json:"tags"`
	TrustPolicy json.RawMessage   `json:"trust_policy"`
	Omitted     []string          `json:"omitted"`
}

// serviceLinkedPath is where the roles lie that services make for themselves.
const serviceLinkedPath = "/aws-service-role/"

// holder finds who an account of the graph is in AWS, and its policies.
func (d decider) holder(ref connector.Ref) (holder, error) {
	e, found, err := d.records.Entity(d.ctx, ref)
	if err != nil || !found {
		h := holder{ref: ref, caller: policy.Caller{Kind: policy.Anyone}}
		h.policies.Unread = []string{"the account was not seen"}
		return h, err
	}
	a := described[identityAttributes](e)
	h := holder{ref: ref, account: a.Account, unique: ref.ID, name: e.Name, tags: a.Tags, trust: a.TrustPolicy}
	switch e.Type {
	case typeUser:
		h.caller = policy.Caller{Kind: policy.User, ARN: a.ARN, Account: a.Account}
		h.tagsKnown = !slices.Contains(a.Omitted, "tags")
	case typeRole:
		h.caller = policy.Caller{Kind: policy.Session, ARN: a.ARN, Account: a.Account}
		h.outsideControls = strings.HasPrefix(a.Path, serviceLinkedPath)
		h.tagsKnown = !slices.Contains(a.Omitted, "tags") && !letsTagSessions(a.TrustPolicy)
	case typeRootUser:
		h.caller, h.read = policy.Caller{Kind: policy.Root, ARN: a.ARN, Account: a.Account}, true
		return h, nil
	default:
		return outsider(h, e), nil
	}
	h.read = true
	if err := d.readPolicies(&h); err != nil {
		return h, err
	}
	if a.Boundary != "" {
		h.boundary = &policy.Layer{}
		if err := d.addPolicies(h.boundary, entitlementRef(a.BoundaryID), "permissions boundary "+a.Boundary); err != nil {
			return h, err
		}
	}
	whole, err := d.complete(streamIAM, a.Account)
	if err == nil && !whole {
		h.policies.Unread = append(h.policies.Unread, "IAM of account "+a.Account+" was not read completely")
	}
	return h, err
}

// outsider is a party that no account read by us contains.
func outsider(h holder, e connector.Entity) holder {
	switch e.Type {
	case typeService:
		h.caller = policy.Caller{Kind: policy.Service, ARN: e.ID}
		h.outsideControls = true
	case typeFederated, typeDirectoryUser:
		h.caller = policy.Caller{Kind: policy.Federated, ARN: e.ID}
	case typeExternal:
		account, _ := accountOfARN(e.ID)
		if isAccountID(e.ID) {
			account = e.ID
		}
		h.account, h.caller = account, policy.Caller{Kind: policy.User, ARN: e.ID, Account: account}
		if strings.Contains(e.ID, ":role/") || strings.Contains(e.ID, ":assumed-role/") {
			h.caller.Kind = policy.Session
		}
		h.policies.Unread = []string{"the policies of " + e.ID + " are in an account that is not read"}
	default:
		h.caller = policy.Caller{Kind: policy.Anyone}
	}
	return h
}

// readPolicies adds the policies of a user, of its groups, or of a role.
func (d decider) readPolicies(h *holder) error {
	held, whole, err := d.records.From(d.ctx, connector.AccountAssignedEntitlement, h.ref)
	if err != nil {
		return err
	}
	tooMany(&h.policies, whole)
	for _, r := range held {
		if err := d.addPolicies(&h.policies, r.To, ""); err != nil {
			return err
		}
	}
	return nil
}

// addPolicies adds an entitlement to a layer: a policy, or a group's policies.
// Statements of resource policies are no policies of the identity. An empty
// name takes the entitlement's own.
func (d decider) addPolicies(l *policy.Layer, ref connector.Ref, name string) error {
	e, found, err := d.records.Entity(d.ctx, ref)
	if err != nil {
		return err
	}
	if !found {
		if name != "" {
			l.Unread = append(l.Unread, "the text of "+name+" was not read")
		}
		return nil
	}
	switch e.Type {
	case typeManagedPolicy, typeAWSPolicy, typeInlinePolicy:
		if name == "" {
			name = e.Name
		}
		add(l, name, e.ID, described[struct {
			Document json.RawMessage `json:"document"`
		}](e).Document)
	case typeGroup:
		included, whole, err := d.records.From(d.ctx, connector.EntitlementIncludesEntitlement, ref)
		if err != nil {
			return err
		}
		tooMany(l, whole)
		for _, r := range included {
			if err := d.addPolicies(l, r.To, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func tooMany(l *policy.Layer, whole bool) {
	if !whole {
		l.Unread = appendOnce(l.Unread, "there are more policies than a decision looks at")
	}
}

// letsTagSessions reports whether a trust policy may let sessions of the role
// be tagged; in doubt it may.
func letsTagSessions(trust json.RawMessage) bool {
	parsed, err := policy.Parse(string(trust))
	if err != nil || len(trust) == 0 {
		return true
	}
	for i := range parsed.Statements {
		if s := &parsed.Statements[i]; s.Effect == policy.Allow && s.Covers("sts:TagSession") {
			return true
		}
	}
	return false
}

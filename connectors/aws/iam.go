package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// The steps of reading an account's IAM, in order: what is referred to comes
// before what refers to it.
const (
	stepPolicies = "policies"
	stepGroups   = "groups"
	stepUsers    = "users"
	stepRoles    = "roles"
)

func iamSteps() []string {
	return []string{stepPolicies, stepGroups, stepUsers, stepRoles}
}

func filterOf(step string) types.EntityType {
	switch step {
	case stepPolicies:
		return types.EntityTypeLocalManagedPolicy
	case stepGroups:
		return types.EntityTypeGroup
	case stepUsers:
		return types.EntityTypeUser
	default:
		return types.EntityTypeRole
	}
}

// iamReader reads the iam partition of one account.
type iamReader struct {
	session *session
	account string
	batch   *records.Writer
	// policies and groups hold ids by ARN and by lower-case name.
	policies  map[string]string
	groups    map[string]string
	directory *directory
	// whole says that directory has seen all of the account.
	whole  bool
	report credentialReport
}

func (s *session) readIAM(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	r := &iamReader{
		session: s, account: account, batch: b,
		policies: map[string]string{}, groups: map[string]string{}, directory: newDirectory(),
		whole: from.Step == "",
	}
	if err := r.recall(ctx, from); err != nil {
		return gapOrFail(b, err)
	}
	begun := from.Step == ""
	for _, step := range iamSteps() {
		marker := ""
		if !begun {
			if step != from.Step {
				continue
			}
			begun, marker = true, from.Marker
		}
		if step == stepUsers {
			if err := r.readReport(ctx); err != nil {
				return err
			}
		}
		err := s.eachPolicyPage(ctx, account, []types.EntityType{filterOf(step)}, marker, func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error {
			if err := b.At(records.Place{Step: step, Marker: marker}); err != nil {
				return err
			}
			r.add(step, marker, out)
			return nil
		})
		if err != nil {
			return gapOrFail(b, err)
		}
	}
	if !begun {
		return &connector.Error{Category: connector.ContractViolation, Message: "the cursor names a step this connector does not have"}
	}
	if r.whole {
		s.directories.put(account, r.directory)
	}
	return nil
}

// recall finds again the ids that the steps before the place would have found.
func (r *iamReader) recall(ctx context.Context, from records.Place) error {
	if from.Step == "" || from.Step == stepPolicies && from.Marker == "" {
		return nil
	}
	filter := []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeGroup}
	return r.session.eachDetailPage(ctx, r.account, filter, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		for _, p := range out.Policies {
			r.policies[aws.ToString(p.Arn)] = managedPolicyID(p, r.account)
		}
		for _, g := range out.GroupDetailList {
			r.groups[strings.ToLower(aws.ToString(g.GroupName))] = aws.ToString(g.GroupId)
		}
		return nil
	})
}

func (r *iamReader) add(step, marker string, out *iam.GetAccountAuthorizationDetailsOutput) {
	r.directory.add(r.account, out)
	for _, p := range out.Policies {
		r.policies[aws.ToString(p.Arn)] = managedPolicyID(p, r.account)
		r.addManagedPolicy(p)
	}
	for _, g := range out.GroupDetailList {
		r.groups[strings.ToLower(aws.ToString(g.GroupName))] = aws.ToString(g.GroupId)
		r.addGroup(g)
	}
	if step == stepUsers && marker == "" {
		r.addRoot()
	}
	for _, u := range out.UserDetailList {
		r.addUser(u)
	}
	for _, role := range out.RoleDetailList {
		r.addRole(role)
	}
}

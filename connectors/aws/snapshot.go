package aws

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// mostSnapshotItems is up to how many objects an account is small: it then
// takes one or two calls whole, instead of one per type and stream.
const mostSnapshotItems = detailPageSize

// snapshot holds the details of the account that is being read, if it is
// small. The session keeps one at a time.
type snapshot struct {
	account string
	large   bool
	all     iam.GetAccountAuthorizationDetailsOutput
	// managed are AWS's own policies that are attached in the account; nil
	// until asked for.
	managed []types.ManagedPolicyDetail
}

var errLarge = errors.New("the account is larger than a snapshot")

// snapshotOf returns the snapshot of an account, replacing the one held.
func (s *session) snapshotOf(ctx context.Context, account string) (*snapshot, error) {
	if s.snapshot != nil && s.snapshot.account == account {
		return s.snapshot, nil
	}
	made := &snapshot{account: account}
	filter := []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeGroup, types.EntityTypeUser, types.EntityTypeRole}
	items := 0
	err := s.requestDetails(ctx, account, filter, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		items += len(out.Policies) + len(out.GroupDetailList) + len(out.UserDetailList) + len(out.RoleDetailList)
		if items > s.snapshotItems || out.IsTruncated && items == s.snapshotItems {
			return errLarge
		}
		made.all.Policies = append(made.all.Policies, out.Policies...)
		made.all.GroupDetailList = append(made.all.GroupDetailList, out.GroupDetailList...)
		made.all.UserDetailList = append(made.all.UserDetailList, out.UserDetailList...)
		made.all.RoleDetailList = append(made.all.RoleDetailList, out.RoleDetailList...)
		return nil
	})
	if errors.Is(err, errLarge) {
		made.large, made.all = true, iam.GetAccountAuthorizationDetailsOutput{}
	} else if err != nil {
		return nil, err
	}
	s.snapshot = made
	return made, nil
}

// of returns the part of the snapshot that a filter lets through.
func (h *snapshot) of(ctx context.Context, s *session, filter []types.EntityType) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	var out iam.GetAccountAuthorizationDetailsOutput
	for _, kind := range filter {
		switch kind {
		case types.EntityTypeLocalManagedPolicy:
			out.Policies = append(out.Policies, h.all.Policies...)
		case types.EntityTypeGroup:
			out.GroupDetailList = h.all.GroupDetailList
		case types.EntityTypeUser:
			out.UserDetailList = h.all.UserDetailList
		case types.EntityTypeRole:
			out.RoleDetailList = h.all.RoleDetailList
		case types.EntityTypeAWSManagedPolicy:
			if err := h.loadManaged(ctx, s); err != nil {
				return nil, err
			}
			out.Policies = append(out.Policies, h.managed...)
		}
	}
	return &out, nil
}

func (h *snapshot) loadManaged(ctx context.Context, s *session) error {
	if h.managed != nil {
		return nil
	}
	attached := []types.ManagedPolicyDetail{}
	err := s.requestDetails(ctx, h.account, []types.EntityType{types.EntityTypeAWSManagedPolicy}, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		attached = append(attached, slices.DeleteFunc(out.Policies, func(p types.ManagedPolicyDetail) bool { return aws.ToInt32(p.AttachmentCount) == 0 })...)
		return nil
	})
	if err == nil {
		h.managed = attached
	}
	return err
}

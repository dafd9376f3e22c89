package aws

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// mostSnapshotItems is up to how many objects an account is small: it then
// takes a few calls whole, instead of one per type and stream.
const mostSnapshotItems = 4 * detailPageSize

// maxSnapshotItems bounds the objects in the snapshots a session holds, about
// 40 MB: those of the account that is being read, and of accounts that its
// policies name and whose turn has not come.
const maxSnapshotItems = 2 * mostSnapshotItems

// snapshot holds the details of an account, if it is small.
type snapshot struct {
	account string
	large   bool
	items   int
	all     iam.GetAccountAuthorizationDetailsOutput
}

// snapshotCache holds the snapshots used last, the latest at the end.
type snapshotCache []*snapshot

func (c *snapshotCache) get(account string) *snapshot {
	i := slices.IndexFunc(*c, func(h *snapshot) bool { return h.account == account })
	if i < 0 {
		return nil
	}
	found := (*c)[i]
	*c = append(slices.Delete(*c, i, i+1), found)
	return found
}

func (c *snapshotCache) put(made *snapshot) {
	*c = append(*c, made)
	total := 0
	for _, h := range *c {
		total += max(h.items, 1)
	}
	for total > maxSnapshotItems {
		total -= max((*c)[0].items, 1)
		*c = slices.Delete(*c, 0, 1)
	}
}

var errLarge = errors.New("the account is larger than a snapshot")

// snapshotOf returns the snapshot of an account, reading it if none is held.
func (s *session) snapshotOf(ctx context.Context, account string) (*snapshot, error) {
	if held := s.snapshots.get(account); held != nil {
		return held, nil
	}
	made := &snapshot{account: account}
	filter := []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeGroup, types.EntityTypeUser, types.EntityTypeRole}
	err := s.requestDetails(ctx, account, filter, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		made.items += len(out.Policies) + len(out.GroupDetailList) + len(out.UserDetailList) + len(out.RoleDetailList)
		if made.items > s.snapshotItems || out.IsTruncated && made.items == s.snapshotItems {
			return errLarge
		}
		made.all.Policies = append(made.all.Policies, out.Policies...)
		made.all.GroupDetailList = append(made.all.GroupDetailList, out.GroupDetailList...)
		made.all.UserDetailList = append(made.all.UserDetailList, out.UserDetailList...)
		made.all.RoleDetailList = append(made.all.RoleDetailList, out.RoleDetailList...)
		return nil
	})
	if errors.Is(err, errLarge) {
		made.large, made.items, made.all = true, 0, iam.GetAccountAuthorizationDetailsOutput{}
	} else if err != nil {
		return nil, err
	}
	s.snapshots.put(made)
	return made, nil
}

// of returns the part of the snapshot that a filter lets through.
func (h *snapshot) of(filter []types.EntityType) *iam.GetAccountAuthorizationDetailsOutput {
	var out iam.GetAccountAuthorizationDetailsOutput
	for _, kind := range filter {
		switch kind {
		case types.EntityTypeLocalManagedPolicy:
			out.Policies = h.all.Policies
		case types.EntityTypeGroup:
			out.GroupDetailList = h.all.GroupDetailList
		case types.EntityTypeUser:
			out.UserDetailList = h.all.UserDetailList
		case types.EntityTypeRole:
			out.RoleDetailList = h.all.RoleDetailList
		}
	}
	return &out
}

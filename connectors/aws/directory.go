package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// maxDirectoryEntries bounds the names a session remembers, about 30 MB. An
// account that was pushed out is read again when it is needed.
const maxDirectoryEntries = 200_000

// directory finds the immutable ids of one account's users and roles by name,
// and who of them has a policy that speaks of assuming roles. IAM holds names
// apart without regard to case or path.
type directory struct {
	users, roles map[string]string
	delegates    delegates
}

func newDirectory() *directory {
	return &directory{users: map[string]string{}, roles: map[string]string{}, delegates: newDelegates()}
}

// add takes one page. Policies and groups must have come before the users and
// roles that have them.
func (d *directory) add(account string, out *iam.GetAccountAuthorizationDetailsOutput) {
	d.delegates.add(account, out)
	for _, u := range out.UserDetailList {
		d.users[strings.ToLower(aws.ToString(u.UserName))] = aws.ToString(u.UserId)
	}
	for _, r := range out.RoleDetailList {
		d.roles[strings.ToLower(aws.ToString(r.RoleName))] = aws.ToString(r.RoleId)
	}
}

func (d *directory) size() int { return len(d.users) + len(d.roles) + len(d.delegates.holders) }

// directoryCache keeps the directories of the accounts used last.
type directoryCache struct {
	most  int
	order []string // oldest first
	held  map[string]*directory
}

func newDirectoryCache(most int) *directoryCache {
	return &directoryCache{most: most, held: map[string]*directory{}}
}

func (c *directoryCache) get(account string) (*directory, bool) {
	d, ok := c.held[account]
	return d, ok
}

func (c *directoryCache) put(account string, d *directory) {
	if _, ok := c.held[account]; !ok {
		c.order = append(c.order, account)
	}
	c.held[account] = d
	total := 0
	for _, h := range c.held {
		total += h.size()
	}
	for total > c.most && len(c.order) > 1 {
		total -= c.held[c.order[0]].size()
		delete(c.held, c.order[0])
		c.order = c.order[1:]
	}
}

// directory returns an account's directory, reading it if this session has
// not yet.
func (s *session) directory(ctx context.Context, account string) (*directory, error) {
	if d, ok := s.directories.get(account); ok {
		return d, nil
	}
	d := newDirectory()
	for _, step := range iamSteps() {
		err := s.eachPolicyPage(ctx, account, []types.EntityType{filterOf(step)}, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
			d.add(account, out)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	s.directories.put(account, d)
	return d, nil
}

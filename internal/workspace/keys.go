package workspace

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Keys lists the API keys of the caller's workspace, without the keys.
func (s *Service) Keys(ctx context.Context, c Caller, after id.Member, limit int) ([]Key, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return nil, err
	}
	return s.Store.ListKeys(ctx, c.Scope, after, limit)
}

// CreateKey makes an API key with a role that has no capability beyond the
// caller's own. The key is returned once and cannot be read again.
func (s *Service) CreateKey(ctx context.Context, c Caller, name string, role Role, expires *time.Time) (Key, secret.Secret, error) {
	if err := c.Require(ManageMembers); err != nil {
		return Key{}, secret.Secret{}, err
	}
	name = strings.TrimSpace(name)
	wrong := checkName(name)
	if expires != nil && !expires.After(time.Now()) {
		wrong = append(wrong, fault.Field{Path: "expires_at", Message: "must be in the future"})
	}
	if err := c.MayGrant(role); err != nil {
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid {
			return Key{}, secret.Secret{}, err
		} else {
			wrong = append(wrong, f.Fields...)
		}
	}
	if len(wrong) > 0 {
		return Key{}, secret.Secret{}, fault.InvalidFields(wrong...)
	}
	return issueKey(ctx, s.Store, c.Scope, c.Actor(), NewKeyRow{Name: name, Role: role, ExpiresAt: expires, MadeBy: c.Member})
}

// RevokeKey ends a key at once, also in an archived workspace. The last admin
// key of a workspace without other admins gives a Conflict.
func (s *Service) RevokeKey(ctx context.Context, c Caller, m id.Member) error {
	if err := c.RequireRole(ManageMembers); err != nil {
		return err
	}
	return s.Store.RevokeKey(ctx, c.Scope, m, c.memberEvent(audit.APIKeyRevoked, m, nil))
}

// maxName is the most characters in the name of a workspace or key.
const maxName = 200

func checkName(name string) []fault.Field {
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		return []fault.Field{{Path: "name", Message: "must be 1 to 200 characters long"}}
	}
	return nil
}

package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// NewLicenceKey makes a key that licences are signed with.
func NewLicenceKey(name string) (signing secret.Secret, public string, err error) {
	signing, key, err := licence.NewKey(name)
	return signing, string(key), err
}

// LicenceDraft is a licence to be signed.
type LicenceDraft struct {
	// SigningKey is the text that [NewLicenceKey] returned.
	SigningKey   secret.Secret
	ID           string
	Tenant       string
	Licensee     string
	Integrations []string
	// Workspaces and Connections are the most there may be; nil for no limit.
	Workspaces  *int64
	Connections *int64
	IssuedAt    time.Time
	NotBefore   time.Time
	// ExpiresAt is nil for a licence without an end.
	ExpiresAt *time.Time
	GraceDays int
}

// IssueLicence signs a licence and returns its text. It needs no server.
func IssueLicence(d LicenceDraft) (string, error) {
	key, err := licence.ParseSigningKey(d.SigningKey.RevealString())
	if err != nil {
		return "", err
	}
	l := licence.Licence{
		ID: d.ID, Licensee: d.Licensee, Limits: licence.Limits{Workspaces: d.Workspaces, Connections: d.Connections},
		IssuedAt: d.IssuedAt, NotBefore: d.NotBefore, ExpiresAt: d.ExpiresAt, GraceDays: d.GraceDays,
	}
	if err := l.Tenant.UnmarshalText([]byte(d.Tenant)); err != nil {
		return "", fault.InvalidField("tenant", "is %v", err)
	}
	for _, i := range d.Integrations {
		l.Integrations = append(l.Integrations, integration.ID(i))
	}
	return licence.Sign(l, key)
}

// trustLicenceKeys makes the keys in a file those that licences are checked
// with. Without a file they stay as they are.
func trustLicenceKeys(ctx context.Context, adminURL, path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the licence keys: %w", err)
	}
	keys, err := licence.ParsePublicKeys(string(text))
	if err != nil {
		return fmt.Errorf("read the licence keys of %s: %w", path, err)
	}
	return postgres.TrustLicenceKeys(ctx, adminURL, keys)
}

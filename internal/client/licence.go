package client

import (
	"context"
	"net/http"
	"time"
)

// Licence is the one in force and how it stands.
type Licence struct {
	State   string `json:"state"`
	Message string `json:"message"`
	// LicenceID and what follows are nil for the built-in licence.
	LicenceID    *string       `json:"licence_id"`
	TenantID     *string       `json:"tenant_id"`
	Licensee     *string       `json:"licensee"`
	Integrations []string      `json:"integrations"`
	Limits       LicenceLimits `json:"limits"`
	IssuedAt     *time.Time    `json:"issued_at"`
	NotBefore    *time.Time    `json:"not_before"`
	ExpiresAt    *time.Time    `json:"expires_at"`
	GraceUntil   *time.Time    `json:"grace_until"`
	InstalledAt  *time.Time    `json:"installed_at"`
	InstalledBy  *string       `json:"installed_by"`
}

// LicenceLimits are the most there may be in all workspaces together.
type LicenceLimits struct {
	Workspaces  LicenceLimit `json:"workspaces"`
	Connections LicenceLimit `json:"connections"`
}

// LicenceLimit is the most there may be, nil for no limit, and how much there
// is, nil where it is not shown.
type LicenceLimit struct {
	Most *int64 `json:"most"`
	Used *int64 `json:"used"`
}

// Licence returns the tenant's licence.
func (c *Client) Licence(ctx context.Context) (Answer[Licence], error) {
	return send[Licence](ctx, c, call{method: http.MethodGet, path: "/v1/licence"})
}

// InstallLicence puts a licence in force.
func (c *Client) InstallLicence(ctx context.Context, text string) (Answer[Licence], error) {
	return send[Licence](ctx, c, call{method: http.MethodPut, path: "/v1/licence", body: map[string]string{"licence": text}})
}

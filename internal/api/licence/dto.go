package licence

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"

	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/licence"
)

// Licence is the one in force and how it stands.
type Licence struct {
	State        string     `json:"state" enum:"built_in,valid,grace,expired,untrusted" doc:"built_in allows everything; with expired and untrusted nothing new can be connected or started, and everything that is there stays."`
	Message      string     `json:"message" doc:"What to know or do; empty when all is well."`
	LicenceID    *string    `json:"licence_id" doc:"Null for the built-in licence, and where the stored one cannot be trusted; so are the fields below."`
	TenantID     *id.Tenant `json:"tenant_id" nullable:"true" example:"t_123"`
	Licensee     *string    `json:"licensee"`
	Integrations []string   `json:"integrations" nullable:"false" doc:"Ids of the integrations that may be connected and started; * stands for all."`
	Limits       Limits     `json:"limits"`
	IssuedAt     *time.Time `json:"issued_at"`
	NotBefore    *time.Time `json:"not_before"`
	ExpiresAt    *time.Time `json:"expires_at" doc:"Null without an end."`
	GraceUntil   *time.Time `json:"grace_until" doc:"Until then an expired licence goes on as before."`
	InstalledAt  *time.Time `json:"installed_at"`
	InstalledBy  *string    `json:"installed_by" doc:"Member id of who installed it."`
}

// Limits are the most there may be in all workspaces together.
type Limits struct {
	Workspaces  Limit `json:"workspaces" doc:"Workspaces that are not archived."`
	Connections Limit `json:"connections" doc:"Connections that are not deleted."`
}

// Limit is the most there may be of something, and how much there is.
type Limit struct {
	Most *int64 `json:"most" doc:"Null for no limit."`
	Used *int64 `json:"used" doc:"Null for callers without licence.manage."`
}

// Draft is a licence to install.
type Draft struct {
	Licence string `json:"licence" maxLength:"65536" doc:"The text of the licence as it was issued, all of it."`
}

func fromDomain(s domain.Standing, use *domain.Use) Licence {
	dto := Licence{State: string(s.State), Message: s.Message, Integrations: []string{}}
	if s.State == domain.BuiltIn {
		dto.Integrations = []string{string(domain.AllIntegrations)}
	} else {
		dto.InstalledAt, dto.InstalledBy = api.UTC(&s.InstalledAt), &s.InstalledBy
	}
	limits := s.Limits()
	dto.Limits.Workspaces.Most, dto.Limits.Connections.Most = limits.Workspaces, limits.Connections
	if use != nil {
		dto.Limits.Workspaces.Used, dto.Limits.Connections.Used = &use.Workspaces, &use.Connections
	}
	l := s.Licence
	if l == nil {
		return dto
	}
	dto.LicenceID, dto.TenantID, dto.Licensee = &l.ID, &l.Tenant, &l.Licensee
	for _, i := range l.Integrations {
		dto.Integrations = append(dto.Integrations, string(i))
	}
	dto.IssuedAt, dto.NotBefore, dto.ExpiresAt, dto.GraceUntil = api.UTC(&l.IssuedAt), api.UTC(&l.NotBefore), api.UTC(l.ExpiresAt), api.UTC(l.GraceUntil())
	return dto
}

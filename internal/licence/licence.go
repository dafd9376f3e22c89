package licence

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// AllIntegrations stands in a licence for every integration, also later ones.
const AllIntegrations integration.ID = "*"

// Bounds of what a licence may say.
const (
	maxNameLength   = 200
	maxIntegrations = 1000
	maxLimit        = 1_000_000_000
	maxGraceDays    = 366
	// earliest and latest keep times within what JSON, PostgreSQL and people
	// agree on.
	earliest, latest = 2000, 9999
)

// Licence is what a tenant was given.
type Licence struct {
	// ID is the vendor's name for it, such as "lic-2026-0042": 1 to 200 letters,
	// digits, dots, dashes and underscores.
	ID string
	// Tenant is the only one it is for.
	Tenant id.Tenant
	// Licensee is the tenant's name, for people: 1 to 200 characters.
	Licensee string
	// Integrations that may be connected and started; [AllIntegrations] for all.
	Integrations []integration.ID
	Limits       Limits
	// IssuedAt orders licences: an older one does not replace a newer one.
	IssuedAt  time.Time
	NotBefore time.Time
	// ExpiresAt is nil for a licence without an end.
	ExpiresAt *time.Time
	// GraceDays is for how many days of 24 hours after ExpiresAt everything goes
	// on as before, 0 to 366.
	GraceDays int
}

// Limits are the most there may be of something in all workspaces together; nil
// is no limit.
type Limits struct {
	// Workspaces that are not archived.
	Workspaces *int64
	// Connections that are not deleted, disabled ones among them.
	Connections *int64
}

// GraceUntil is when a licence that ends stops to allow anything new; nil for
// one without an end.
func (l *Licence) GraceUntil() *time.Time {
	if l.ExpiresAt == nil {
		return nil
	}
	until := l.ExpiresAt.Add(time.Duration(l.GraceDays) * 24 * time.Hour)
	return &until
}

// Includes reports whether the licence names the integration.
func (l *Licence) Includes(i integration.ID) bool {
	return slices.Contains(l.Integrations, AllIntegrations) || slices.Contains(l.Integrations, i)
}

// Validate reports each field that a licence must not have as it is.
func (l *Licence) Validate() error {
	var wrong []fault.Field
	add := func(bad bool, path, message string) {
		if bad {
			wrong = append(wrong, fault.Field{Path: path, Message: message})
		}
	}
	add(!wellFormedID(l.ID), "licence_id", "must be 1 to 200 letters, digits, dots, dashes and underscores")
	add(l.Tenant < 1, "tenant_id", "must be a tenant's id, such as t_1")
	add(!oneLine(l.Licensee), "licensee", "must be 1 to 200 characters of text on one line")
	add(len(l.Integrations) > maxIntegrations, "integrations", "must be at most 1000")
	for _, i := range l.Integrations {
		add(i != AllIntegrations && !i.WellFormed(), "integrations", `must be ids of integrations, such as aws, or "*" for all`)
	}
	for path, limit := range map[string]*int64{"limits.workspaces": l.Limits.Workspaces, "limits.connections": l.Limits.Connections} {
		add(limit != nil && (*limit < 0 || *limit > maxLimit), path, "must be 0 to 1000000000; leave it out for no limit")
	}
	add(!sensible(l.IssuedAt), "issued_at", "must be a time between the years 2000 and 9999")
	add(!sensible(l.NotBefore), "not_before", "must be a time between the years 2000 and 9999")
	if l.ExpiresAt != nil {
		add(!sensible(*l.ExpiresAt) || !l.ExpiresAt.After(l.NotBefore), "expires_at", "must be after not_before, and before the year 9999")
	}
	add(l.GraceDays < 0 || l.GraceDays > maxGraceDays, "grace_days", "must be 0 to 366")
	if len(wrong) == 0 {
		return nil
	}
	slices.SortStableFunc(wrong, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return fault.InvalidFields(slices.Compact(wrong)...)
}

func wellFormedID(text string) bool {
	return text != "" && len(text) <= maxNameLength && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

func oneLine(text string) bool {
	n := utf8.RuneCountInString(text)
	return utf8.ValidString(text) && n >= 1 && n <= maxNameLength && !strings.ContainsFunc(text, unicode.IsControl) &&
		strings.TrimSpace(text) == text
}

func sensible(t time.Time) bool { return t.UTC().Year() >= earliest && t.UTC().Year() < latest }

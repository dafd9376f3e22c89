package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// DisabledReason says why an endpoint gets nothing.
type DisabledReason string

// The reasons.
const (
	// Requested: somebody switched it off.
	Requested DisabledReason = "requested"
	// Gone: it answered 410.
	Gone DisabledReason = "gone"
	// Failing: nothing could be delivered to it for DisableAfter.
	Failing DisabledReason = "failing"
)

// Endpoint is an address that is told of events.
type Endpoint struct {
	ID          id.Webhook
	Scope       id.Scope
	URL         string
	Description string
	Events      []EventType
	// DisabledAt and DisabledReason are empty while it is enabled. A disabled
	// endpoint gets nothing, and what waited for it has failed.
	DisabledAt     *time.Time
	DisabledReason DisabledReason
	// FailingSince is the first of the Failures in a row; nil after a success.
	FailingSince  *time.Time
	Failures      int
	SecretVersion int64
	CreatedBy     id.Member
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Draft is an endpoint to make.
type Draft struct {
	URL         string
	Description string
	Events      []EventType
}

// Patch changes an endpoint; nil fields stay.
type Patch struct {
	URL         *string
	Description *string
	Events      *[]EventType
	// Enabled switches the endpoint on or off. Switching it on forgets its
	// failures.
	Enabled *bool
}

// Limits of an endpoint.
const (
	maxURLBytes         = 2048
	maxDescriptionRunes = 200
	// MaxEndpoints is the most a workspace may have.
	MaxEndpoints = 20
)

// Rules say which addresses endpoints may have.
type Rules struct {
	// AllowPrivate is the operator's leave for private and loopback addresses;
	// those of loopback may then be reached by plain HTTP.
	AllowPrivate bool
	// Reachable returns an error for a host that is an address which is never
	// reached. Names are looked up when something is delivered, not before.
	Reachable func(host string) error
}

// check returns what is wrong with an endpoint.
func (e Endpoint) check(r Rules) []fault.Field {
	var wrong []fault.Field
	if err := r.checkURL(e.URL); err != nil {
		wrong = append(wrong, fault.Field{Path: "url", Message: err.Error()})
	}
	if utf8.RuneCountInString(e.Description) > maxDescriptionRunes {
		wrong = append(wrong, fault.Field{Path: "description", Message: fmt.Sprintf("must be at most %d characters long", maxDescriptionRunes)})
	}
	if len(e.Events) == 0 {
		wrong = append(wrong, fault.Field{Path: "event_types", Message: "must name at least one type of event"})
	}
	for i, t := range e.Events {
		switch {
		case !t.Known():
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("event_types[%d]", i), Message: "is no type of event; the documentation lists them"})
		case slices.Contains(e.Events[:i], t):
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("event_types[%d]", i), Message: "is there twice"})
		}
	}
	return wrong
}

// checkURL says what is wrong with an address, without repeating it: it may hold
// a token.
func (r Rules) checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || len(text) > maxURLBytes:
		return fmt.Errorf("must be an address such as https://example.com/hooks, of at most %d bytes", maxURLBytes)
	case u.User != nil:
		return fmt.Errorf("must not hold a user name or password; deliveries are signed instead")
	case u.Fragment != "":
		return fmt.Errorf("must not have a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !r.AllowPrivate || !isLoopback(u.Hostname())):
		return fmt.Errorf("must begin with https://%s", r.plainOn())
	case !r.AllowPrivate && isLoopback(u.Hostname()):
		return fmt.Errorf("must not be on this machine; an operator can allow it with --allow-private-networks")
	}
	return r.Reachable(u.Hostname())
}

// plainOn says where plain HTTP will do.
func (r Rules) plainOn() string {
	if r.AllowPrivate {
		return "; http:// will do on this machine only"
	}
	return ""
}

// isLoopback reports whether a host is spelt as one of this machine. Others may
// turn out to be when they are looked up.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// apply changes the endpoint by a patch.
func (e *Endpoint) apply(p Patch, now time.Time) {
	if p.URL != nil {
		e.URL = *p.URL
	}
	if p.Description != nil {
		e.Description = strings.TrimSpace(*p.Description)
	}
	if p.Events != nil {
		e.Events = *p.Events
	}
	switch {
	case p.Enabled == nil:
	case *p.Enabled:
		if e.DisabledAt != nil {
			e.FailingSince, e.Failures = nil, 0
		}
		e.DisabledAt, e.DisabledReason = nil, ""
	case e.DisabledAt == nil:
		e.DisabledAt, e.DisabledReason = &now, Requested
	}
}

// changed names the fields of a patch, for the audit event.
func (p Patch) changed() []string {
	names := []string{}
	for name, given := range map[string]bool{
		"url": p.URL != nil, "description": p.Description != nil, "event_types": p.Events != nil, "enabled": p.Enabled != nil,
	} {
		if given {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

package licence

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// State is how the licence in force stands.
type State string

// The states.
const (
	// BuiltIn: none was installed, and everything is allowed.
	BuiltIn State = "built_in"
	// Valid: between not_before and expires_at.
	Valid State = "valid"
	// Grace: expired so recently that everything goes on as before.
	Grace State = "grace"
	// Expired: nothing new may be connected or started.
	Expired State = "expired"
	// Untrusted: what is stored cannot be checked with the keys that the data
	// plane trusts now, so nothing new may be connected or started either.
	Untrusted State = "untrusted"
)

// Record is what a data plane has stored about its licence.
type Record struct {
	Tenant id.Tenant
	Keys   []PublicKey
	// Document is the text of the licence in force; empty when none was
	// installed.
	Document    string
	InstalledAt time.Time
	// InstalledBy is the public id of the member that installed it.
	InstalledBy string
	// Now is the database's time: clocks of services do not matter.
	Now time.Time
}

// Standing is the licence in force at one moment, and what it allows.
type Standing struct {
	State State
	// Licence is nil when it is built in or cannot be trusted.
	Licence     *Licence
	InstalledAt time.Time
	InstalledBy string
	// Message says what an operator should know or do; empty when all is well.
	Message string
}

// Standing checks the stored licence and says how it stands.
func (r Record) Standing() Standing {
	if r.Document == "" {
		return Standing{State: BuiltIn}
	}
	s := Standing{InstalledAt: r.InstalledAt, InstalledBy: r.InstalledBy}
	l, err := r.open(r.Document)
	if err != nil {
		s.State = Untrusted
		s.Message = "the installed licence cannot be trusted any more, so nothing new can be connected or started; install one that can be. Reason: " + public(err)
		return s
	}
	s.Licence = &l
	until := l.GraceUntil()
	switch {
	case until == nil || r.Now.Before(*l.ExpiresAt):
		s.State = Valid
	case r.Now.Before(*until):
		s.State = Grace
		s.Message = fmt.Sprintf("licence %s expired at %s; from %s on nothing new can be connected or started; install a new one", l.ID, stamp(*l.ExpiresAt), stamp(*until))
	default:
		s.State = Expired
		s.Message = fmt.Sprintf("licence %s expired at %s, so nothing new can be connected or started; install a new one. Everything that is there stays readable", l.ID, stamp(*l.ExpiresAt))
	}
	return s
}

// Accept returns the licence in a text if it may be put in force now; otherwise
// the error is Invalid, or a Conflict with the one that is in force.
func (r Record) Accept(document string) (Licence, error) {
	l, err := r.open(document)
	if err != nil {
		return Licence{}, err
	}
	until := l.GraceUntil()
	switch {
	case r.Now.Before(l.NotBefore):
		return Licence{}, refused("it is valid from %s on, and the database's clock says %s; install it then", stamp(l.NotBefore), stamp(r.Now))
	case until != nil && !r.Now.Before(*until):
		return Licence{}, refused("it expired at %s and allows nothing any more; ask for a new one", stamp(*l.ExpiresAt))
	}
	if current, err := r.open(r.Document); err == nil && l.IssuedAt.Before(current.IssuedAt) {
		return Licence{}, fault.New(fault.Conflict, "the licence is refused: it was issued at %s, before %s, which is in force and was issued at %s",
			stamp(l.IssuedAt), current.ID, stamp(current.IssuedAt))
	}
	return l, nil
}

func (r Record) open(document string) (Licence, error) {
	l, err := Open(document, r.Keys)
	if err != nil {
		return Licence{}, err
	}
	if l.Tenant != r.Tenant {
		return Licence{}, refused("it is for tenant %s (%s), and this data plane belongs to %s", l.Tenant, l.Licensee, r.Tenant)
	}
	return l, nil
}

// Allows reports whether an integration may be connected and started now. If
// not, why says the reason and the way out.
func (s Standing) Allows(i integration.ID) (why string, ok bool) {
	switch s.State {
	case BuiltIn:
		return "", true
	case Valid, Grace:
		if s.Licence.Includes(i) {
			return "", true
		}
		return fmt.Sprintf("licence %s does not include the integration %s; ask for one that does", s.Licence.ID, i), false
	}
	return s.Message, false
}

// AdmitConnection returns nil when another connection of an integration may be
// made while there are that many.
func (s Standing) AdmitConnection(i integration.ID, used int64) error {
	if why, ok := s.Allows(i); !ok {
		return fault.New(fault.Forbidden, "%s", why)
	}
	if limit := s.Limits().Connections; limit != nil && used >= *limit {
		return fault.New(fault.Conflict, "licence %s allows %d connections in all workspaces, and there are %d; delete one that is not needed, or ask for a larger licence", s.Licence.ID, *limit, used)
	}
	return nil
}

// AdmitWorkspace returns nil when another workspace may be made, or brought back
// from the archive, while there are that many.
func (s Standing) AdmitWorkspace(used int64) error {
	if s.State == Expired || s.State == Untrusted {
		return fault.New(fault.Forbidden, "%s", s.Message)
	}
	if limit := s.Limits().Workspaces; limit != nil && used >= *limit {
		return fault.New(fault.Conflict, "licence %s allows %d workspaces, and there are %d; archive one that is not needed, or ask for a larger licence", s.Licence.ID, *limit, used)
	}
	return nil
}

// Limits are those in force; none without a licence that can be read.
func (s Standing) Limits() Limits {
	if s.Licence == nil {
		return Limits{}
	}
	return s.Licence.Limits
}

// stamp shows a time as people read it, to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// public is what may be shown of an error.
func public(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return "it cannot be read"
}

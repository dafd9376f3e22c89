package estate

import (
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// User is a person's user in the tenant.
type User struct {
	Person          int
	ID, Login, Mail string
	DisplayName     string
	Directory       int
	Enabled, Locked bool
	// Status is Created, Invited, Active or Suspended.
	Status string
	// Known users have used the service; the others are in their directory alone.
	Known bool
	// LastLogin is nil for who never signed in.
	LastLogin *time.Time
	// Stuck users cannot answer the challenges that their policy asks for.
	Stuck bool
}

// UserID is the id of a person's user.
func (e *Estate) UserID(person int) string { return e.draw.UUID("cyberark user", person) }

// directoryOf is where a person's user comes from: people from outside are kept in
// the cloud directory, some of the others come from a partner.
func (e *Estate) directoryOf(person int) int {
	switch {
	case e.Company.Employment(person) == enterprise.Contractor:
		return DirectoryCloud
	case e.draw.Percent(8, "cyberark federated", person):
		return DirectoryFederated
	}
	return DirectoryActive
}

// User computes a person's user.
func (e *Estate) User(person int) User {
	p := e.Company.Person(person)
	u := User{
		Person: person, ID: e.UserID(person), Login: p.Email, Mail: p.Email, DisplayName: p.DisplayName(), Directory: e.directoryOf(person),
		// Every fifth leaver was forgotten.
		Enabled: !p.Left || e.draw.Percent(20, "cyberark forgotten", person),
		Locked:  e.draw.Percent(2, "cyberark locked", person),
		Known:   person == e.Contractor() || e.draw.Percent(88, "cyberark known", person),
		Stuck:   e.draw.Percent(5, "cyberark stuck", person),
	}
	switch {
	case !u.Enabled:
		u.Status = "Suspended"
	case !u.Known:
		u.Status = "Created"
	case e.draw.Percent(4, "cyberark invited", person):
		u.Status = "Invited"
	default:
		u.Status = "Active"
		last := ago(e.draw.Between(0, 80, "cyberark last login", person))
		u.LastLogin = &last
	}
	return u
}

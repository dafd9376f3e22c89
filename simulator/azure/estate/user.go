package estate

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// User is a person's account in the directory.
type User struct {
	Person            int
	ID, UPN, Mail     string
	DisplayName       string
	Given, Family     string
	EmployeeID        string
	Department, Title string
	Enabled, Guest    bool
	Created           time.Time
	// ImmutableID is set for those that are synchronised from premises.
	ImmutableID string
	// LastSignIn is nil for who never signed in.
	LastSignIn *time.Time
}

// UserID is the object id of a person's account.
func (e *Estate) UserID(person int) string { return e.draw.UUID("entra user", person) }

// IsGuest says whether a person is a guest: about every third contractor, and the
// one whose access is sure to be interesting is not.
func (e *Estate) IsGuest(person int) bool {
	return person != e.contractor() && e.Company.Employment(person) == enterprise.Contractor && e.draw.Percent(35, "entra guest", person)
}

// User computes a person's account.
func (e *Estate) User(person int) User {
	p := e.Company.Person(person)
	u := User{
		Person: person, ID: e.UserID(person), UPN: p.Email, Mail: p.Email, DisplayName: p.DisplayName(), Given: p.Given, Family: p.Family,
		EmployeeID: p.EmployeeID, Department: p.Department, Title: p.Title, Created: p.Started,
		// Every fourth leaver was forgotten.
		Enabled: !p.Left || e.draw.Percent(25, "entra forgotten", person),
		Guest:   e.IsGuest(person),
	}
	if u.Guest {
		u.UPN = strings.ReplaceAll(p.Email, "@", "_") + "#EXT#@" + e.Company.Slug + ".onmicrosoft.example"
		u.EmployeeID = ""
	} else if e.draw.Percent(60, "entra synchronised", person) {
		u.ImmutableID = base64.StdEncoding.EncodeToString([]byte(p.EmployeeID + "-anchor"))
	}
	if e.draw.Percent(92, "entra signs in", person) {
		t := ago(e.draw.Between(0, 60, "entra last sign-in", person))
		u.LastSignIn = &t
	}
	return u
}

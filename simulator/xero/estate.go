package xero

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// Organisation is a set of books.
type Organisation struct {
	TenantID string
	Name     string
	Short    string
	Demo     bool
	position int
}

// User is a person's access to an organisation.
type User struct {
	UserID     string
	Email      string
	First      string
	Last       string
	Role       string
	Subscriber bool
	Person     int
}

// organisations are the company's sets of books; the last is a demo company.
func organisations(c *enterprise.Company) []Organisation {
	names := []string{c.Name + " Trading Ltd", c.Name + " Holdings Ltd", "Demo Company (UK)"}
	all := make([]Organisation, len(names))
	for i, name := range names {
		all[i] = Organisation{
			TenantID: c.Draw().UUID("xero organisation", i), Name: name, Short: fmt.Sprintf("!%s%d", c.Slug[:3], i), Demo: i == len(names)-1, position: i,
		}
	}
	return all
}

// userOf is a person's access to an organisation; ok is false for those who have none.
// Finance works in the first two; elsewhere some have a lesser role, and some whose
// work has ended still have theirs.
func userOf(c *enterprise.Company, o Organisation, index int) (u User, ok bool) {
	p := c.Person(index)
	draw := c.Draw()
	finance := p.Department == "Finance" && !o.Demo
	if !finance && index != 0 && !draw.Percent(20-8*o.position, "xero access", index, o.position) {
		return User{}, false
	}
	u = User{
		UserID: draw.UUID("xero user", index), Email: p.Email, First: p.Given, Last: p.Family, Person: index,
		Role: draw.Pick([]string{"READONLY", "INVOICEONLY", "READONLY", "UNKNOWN"}, "xero role", index, o.position),
	}
	switch {
	case index == 0:
		u.Role, u.Subscriber = "STANDARD", true
	case finance:
		u.Role = draw.Pick([]string{"STANDARD", "FINANCIALADVISER"}, "xero finance role", index)
	case p.Left && draw.Percent(30, "xero removed", index):
		u.Role = "REMOVED"
	}
	return u, true
}

// Users are those of an organisation, in order of person.
func (s *Simulator) Users(o Organisation) []User {
	var all []User
	for i := range s.company.People() {
		if _, gone := s.left.Load(i); gone {
			continue
		}
		if u, ok := userOf(s.company, o, i); ok {
			all = append(all, u)
		}
	}
	return all
}

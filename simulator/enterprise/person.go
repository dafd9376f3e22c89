package enterprise

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AsOf is the moment at which every simulated estate stands still. Dates in
// an estate are given relative to it, so that the same seed means the same
// bytes on any day.
func AsOf() time.Time { return time.Date(2026, time.November, 1, 6, 0, 0, 0, time.UTC) }

// Employment says on what terms a person works for the company.
type Employment string

// The terms of employment.
const (
	Employee   Employment = "employee"
	Contractor Employment = "contractor"
)

// Person is one human being.
type Person struct {
	Index      int
	EmployeeID string // "E" or "C" and seven digits
	Given      string
	Family     string
	Username   string // given.family, lower case, unique in the company
	Email      string
	Department string
	Team       int // number of the team within the department, from 0
	Title      string
	Country    string // ISO 3166-1 alpha-2
	Employment Employment
	Manager    int // index of the manager, -1 for the head of the company
	Started    time.Time
	// Left is true for people who no longer work here. Their accounts may
	// still exist, as in real estates.
	Left bool
}

// DisplayName is the person's name as people write it.
func (p Person) DisplayName() string { return p.Given + " " + p.Family }

// Person computes the index-th person, 0 to People()-1. The last one is
// always a contractor who is still here, so that even the smallest company
// has one.
func (c *Company) Person(index int) Person {
	given, family, round := c.pair(index)
	username := slugOf(given) + "." + slugOf(family)
	if round > 0 {
		username += strconv.Itoa(round + 1)
	}
	department := c.Department(index)
	p := Person{
		Index:      index,
		Given:      given,
		Family:     family,
		Username:   username,
		Email:      username + "@" + c.Domain,
		Department: departments[department].name,
		Team:       c.draw.Intn(c.Teams(department), "team", index),
		Title:      c.draw.Pick(departments[department].titles, "title", index),
		Country:    c.draw.Pick(countries, "country", index),
		Employment: c.Employment(index),
		Manager:    (index - 1) / 8,
		Started:    c.started(index),
		Left:       c.Left(index),
	}
	p.EmployeeID = fmt.Sprintf("E%07d", 1000+index)
	if p.Employment == Contractor {
		p.EmployeeID = fmt.Sprintf("C%07d", 1000+index)
		p.Title = "Contract " + p.Title
	}
	if index == 0 {
		p.Manager, p.Title = -1, "Chief Executive Officer"
	}
	return p
}

// Employment says whether the index-th person is a contractor, without
// computing the rest: about one in twelve.
func (c *Company) Employment(index int) Employment {
	if index == c.people-1 || (index > 0 && c.draw.Percent(8, "contractor", index)) {
		return Contractor
	}
	return Employee
}

// Left says whether the index-th person has left: about three in a hundred
// before day 0, and others since.
func (c *Company) Left(index int) bool {
	return index > 0 && index < c.people-1 && c.draw.Percent(3, "left", index) || c.Leaver(index)
}

// Department is the position of the index-th person's department in
// Departments.
func (c *Company) Department(index int) int {
	keys := []int{index}
	if n := c.moves(index); n > 0 {
		keys = append(keys, n)
	}
	roll := c.draw.Intn(100, "department", keys...)
	for i, d := range departments {
		if roll -= d.percent; roll < 0 {
			return i
		}
	}
	return 0
}

// Departments lists the names of all departments.
func Departments() []string {
	names := make([]string, len(departments))
	for i, d := range departments {
		names[i] = d.name
	}
	return names
}

// Teams is the number of teams in a department: about one per twelve people.
func (c *Company) Teams(department int) int {
	return max(1, c.people*departments[department].percent/100/12)
}

// TeamName names a team, for example "Engineering Lantern" or "Sales Harbour 2".
func (c *Company) TeamName(department, team int) string {
	word := teamWords[team%len(teamWords)]
	if round := team / len(teamWords); round > 0 {
		word += " " + strconv.Itoa(round+1)
	}
	return departments[department].name + " " + word
}

// slugOf keeps the letters and digits of a name, in lower case.
func slugOf(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return -1
		}
	}, name)
}

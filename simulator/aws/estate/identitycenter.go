package estate

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// IdentityCenter is the organisation's instance: its users, groups,
// permission sets and who is assigned them where.
type IdentityCenter struct {
	Region         string
	InstanceID     string // ssoins-…
	StoreID        string // d-…
	Created        time.Time
	Groups         []DirectoryGroup
	PermissionSets []PermissionSet
	Assignments    [][]Assignment // by account

	estate     *Estate
	people     []int32 // who has a user, by position
	founders   []int32 // who had one on day 0
	positions  []int32 // position of each person's user, -1 without
	groupIndex map[string]int
}

// DirectoryGroup is a group of the identity store. Identity Center knows no
// groups in groups.
type DirectoryGroup struct {
	ID          string
	Name        string
	Description string
	Created     time.Time
	Members     []int32 // people
}

// DirectoryUser is a user of the identity store.
type DirectoryUser struct {
	Person  enterprise.Person
	ID      string
	Created time.Time
	Enabled bool
}

// Assignment gives a group or one person a permission set in an account.
type Assignment struct {
	PermissionSet int // position
	Group         int // position, -1 when Person is meant
	Person        int // index, -1 when Group is meant
}

// Groups of the identity store that do not come from the company's structure.
const (
	groupEveryone             = "all-employees"
	groupAllContractors       = "all-contractors"
	groupContractorsAnalytics = "contractors-analytics"
)

func (e *Estate) identityCenter() *IdentityCenter {
	c := &IdentityCenter{
		Region: e.Region, InstanceID: "ssoins-" + e.draw.Letters(16, chance.Hex, "instance"), StoreID: "d-" + e.draw.Letters(10, chance.Hex, "identity store"),
		Created: e.before(900, 1200, "identity center created"), estate: e, groupIndex: map[string]int{},
	}
	c.positions = make([]int32, e.Company.People())
	for i := range c.positions {
		c.positions[i] = -1
		if i == e.contractor() || e.draw.Percent(97, "in identity center", i) {
			if i < e.Company.Founders() {
				c.founders = append(c.founders, int32(i))
			}
			if e.Company.Removed(i) {
				continue
			}
			c.positions[i] = int32(len(c.people))
			c.people = append(c.people, int32(i))
		}
	}
	c.PermissionSets = e.permissionSets(c)
	c.makeGroups()
	c.assign()
	c.fillGroups()
	return c
}

// UserCount is the number of users.
func (c *IdentityCenter) UserCount() int { return len(c.people) }

// User computes the position-th user.
func (c *IdentityCenter) User(position int) DirectoryUser {
	person := c.estate.Company.Person(int(c.people[position]))
	created := person.Started
	if created.Before(c.Created) {
		created = c.Created
	}
	return DirectoryUser{Person: person, ID: c.UserID(person.Index), Created: created, Enabled: !person.Left}
}

// UserID is the identifier of a person's user, whether there is one or not.
// The index is written into it so that it can be found again.
func (c *IdentityCenter) UserID(person int) string {
	id := c.estate.draw.UUID("directory user", person)
	return id[:24] + fmt.Sprintf("%012x", uint64(person)^c.mask())
}

func (c *IdentityCenter) mask() uint64 { return c.estate.draw.Uint64("directory mask") & (1<<48 - 1) }

// UserByID finds a user.
func (c *IdentityCenter) UserByID(id string) (DirectoryUser, bool) {
	if len(id) != 36 {
		return DirectoryUser{}, false
	}
	masked, err := strconv.ParseUint(id[24:], 16, 64)
	person := masked ^ c.mask()
	if err != nil || person >= uint64(len(c.positions)) || c.UserID(int(person)) != id || c.positions[person] < 0 {
		return DirectoryUser{}, false
	}
	return c.User(int(c.positions[person])), true
}

// GroupByID finds a group's position.
func (c *IdentityCenter) GroupByID(id string) (int, bool) {
	for i := range c.Groups {
		if c.Groups[i].ID == id {
			return i, true
		}
	}
	return 0, false
}

// MembershipID names the membership of a person in a group.
func (c *IdentityCenter) MembershipID(group, person int) string {
	return c.estate.draw.UUID("membership", group, person)
}

// reviewEvery is how many days somebody keeps the same access groups.
const reviewEvery = 100

// GroupsOf lists the positions of a person's groups. Who leaves is taken out of
// all of them on that day; those who left before day 0 were forgotten.
func (c *IdentityCenter) GroupsOf(person int) []int {
	e := c.estate
	if e.Company.Leaver(person) {
		return nil
	}
	department := e.Company.Department(person)
	everyone := groupEveryone
	if e.Company.Employment(person) == enterprise.Contractor {
		everyone = groupAllContractors
	}
	who := e.Company.Person(person)
	groups := []int{c.groupIndex[everyone], c.groupIndex[who.Department], c.groupIndex[e.Company.TeamName(department, who.Team)]}
	if person == e.contractor() {
		groups = append(groups, c.groupIndex[groupContractorsAnalytics])
	}
	seen := map[int]bool{}
	keys := []int{person}
	if review := e.Company.Turns(person, reviewEvery, "access reviewed"); review > 0 {
		keys = append(keys, review)
	}
	for n := range e.draw.Intn(4, "access groups", keys...) {
		at := slices.Insert(slices.Clone(keys), 1, n)
		account := e.draw.Intn(len(e.Organization.Accounts), "access group account", at...)
		sets := audience(who.Department)
		set := sets[e.draw.Intn(len(sets), "access group set", at...)]
		group, ok := c.groupIndex[accessGroup(e.Organization.Accounts[account], set)]
		if ok && !seen[group] {
			seen[group] = true
			groups = append(groups, group)
		}
	}
	return groups
}

// accessGroup names the group whose members get a permission set in an account.
func accessGroup(account Account, set string) string { return "aws-" + account.Name + "-" + set }

// audience lists the permission sets that people of a department get.
func audience(department string) []string {
	switch department {
	case "Engineering":
		return []string{"Developer", "ReadOnly", "PowerUser"}
	case "Platform":
		return []string{"AdministratorAccess", "PowerUser"}
	case "Data":
		return []string{"DataAnalyst", "ReadOnly"}
	case "Security":
		return []string{"SecurityAudit", "ReadOnly"}
	case "Finance":
		return []string{"Billing"}
	case "Support", "Product":
		return []string{"SupportAccess", "ReadOnly"}
	default:
		return []string{"ReadOnly"}
	}
}

func (c *IdentityCenter) makeGroups() {
	e := c.estate
	c.addGroup(groupEveryone, "Everyone with an employment contract")
	c.addGroup(groupAllContractors, "Everyone with a service contract")
	c.addGroup(groupContractorsAnalytics, "Contract analysts for the payroll migration")
	for i, department := range enterprise.Departments() {
		c.addGroup(department, "Department "+department)
		for team := range e.Company.Teams(i) {
			name := e.Company.TeamName(i, team)
			c.addGroup(name, "Team "+name)
		}
	}
	for _, account := range e.Organization.Accounts {
		for _, set := range standardSets {
			if !account.Suspended && (set != "Billing" || account.Index == managementAccount) {
				c.addGroup(accessGroup(account, set), set+" in "+account.Name)
			}
		}
	}
}

func (c *IdentityCenter) addGroup(name, description string) {
	at := len(c.Groups)
	c.groupIndex[name] = at
	c.Groups = append(c.Groups, DirectoryGroup{
		ID: c.estate.draw.UUID("directory group", at), Name: name, Description: description, Created: c.Created.Add(time.Duration(at) * time.Minute),
	})
}

func (c *IdentityCenter) fillGroups() {
	for _, person := range c.people {
		for _, group := range c.GroupsOf(int(person)) {
			c.Groups[group].Members = append(c.Groups[group].Members, person)
		}
	}
}

// assign says who gets which permission set where: the access groups of every
// account, some departments directly, the contract analysts on the data
// account, and now and then one person without a group.
func (c *IdentityCenter) assign() {
	e := c.estate
	c.Assignments = make([][]Assignment, len(e.Organization.Accounts))
	for i, account := range e.Organization.Accounts {
		if account.Suspended {
			continue
		}
		for set := range standardSets {
			if group, ok := c.groupIndex[accessGroup(account, standardSets[set])]; ok {
				c.give(i, set, group)
			}
		}
		c.give(i, c.set("SecurityAudit"), c.groupIndex["Security"])
		if account.Stage != "prod" && account.Stage != "" {
			c.give(i, c.set("ReadOnly"), c.groupIndex["Engineering"])
		}
		if i == dataAccount {
			c.give(i, c.set(payrollSet), c.groupIndex[groupContractorsAnalytics])
		}
		if e.draw.Percent(40, "direct assignment", i) {
			person := int(c.founders[e.draw.Intn(len(c.founders), "direct assignment to", i)])
			if e.Company.Leaver(person) {
				continue
			}
			c.Assignments[i] = append(c.Assignments[i], Assignment{PermissionSet: c.set("AdministratorAccess"), Group: -1, Person: person})
		}
	}
	departments := enterprise.Departments()
	for set := len(standardSets) + 1; set < len(c.PermissionSets); set++ {
		account := e.draw.Intn(len(c.Assignments), "team set account", set)
		if e.Organization.Accounts[account].Suspended {
			account = developmentAccount
		}
		department := e.draw.Intn(len(departments), "team set department", set)
		team := e.draw.Intn(e.Company.Teams(department), "team set team", set)
		c.give(account, set, c.groupIndex[e.Company.TeamName(department, team)])
	}
}

func (c *IdentityCenter) give(account, set, group int) {
	c.Assignments[account] = append(c.Assignments[account], Assignment{PermissionSet: set, Group: group, Person: -1})
}

package estate

import (
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Organization is the tree of accounts.
type Organization struct {
	ID       string // o-…
	RootID   string // r-…
	Units    []Unit
	Accounts []Account // the management account first
	Policies []ServiceControlPolicy
}

// Unit is an organisational unit.
type Unit struct {
	ID     string // ou-…
	Name   string
	Parent string // identifier of the root or of another unit
}

// Account is a member of the organisation.
type Account struct {
	Index     int
	ID        string // twelve digits
	Name      string
	Email     string
	Parent    string // identifier of the root or a unit
	Stage     string // prod, staging, dev, sandbox, or empty for the company's own accounts
	Suspended bool
	Invited   bool // joined by invitation, not created in the organisation
	Joined    time.Time
}

// Accounts that exist in every estate, by index.
const (
	managementAccount = iota
	dataAccount
	developmentAccount
	securityAccount
	logArchiveAccount
	sharedServicesAccount
	suspendedAccount
	fixedAccounts
)

// maxAccounts bounds how many accounts an organisation has.
const maxAccounts = 200

var productLines = []string{
	"checkout", "ledger", "fulfilment", "catalogue", "identity", "messaging", "reporting", "partners", "pricing", "search",
	"mobile", "claims", "loyalty", "logistics", "billing", "insights", "support-desk", "documents", "risk", "workforce",
}

var stages = []string{"prod", "staging", "dev"}

// Units of every organisation, as (name, position of the parent or -1 for the
// root): three deep below Workloads.
var unitTree = []struct {
	name   string
	parent int
}{
	{"Security", -1},
	{"Infrastructure", -1},
	{"Workloads", -1},
	{"Sandbox", -1},
	{"Suspended", -1},
	{"Production", 2},
	{"NonProduction", 2},
	{"Regulated", 5},
}

const (
	unitSecurity = iota
	unitInfrastructure
	unitWorkloads
	unitSandbox
	unitSuspended
	unitProduction
	unitNonProduction
	unitRegulated
)

func (e *Estate) organization() Organization {
	root := e.draw.Letters(4, chance.LowerAlphanumeric, "root id")
	o := Organization{ID: "o-" + e.draw.Letters(10, chance.LowerAlphanumeric, "organization id"), RootID: "r-" + root}
	for i, unit := range unitTree {
		parent := o.RootID
		if unit.parent >= 0 {
			parent = o.Units[unit.parent].ID
		}
		o.Units = append(o.Units, Unit{
			ID: "ou-" + root + "-" + e.draw.Letters(8, chance.LowerAlphanumeric, "unit id", i), Name: unit.name, Parent: parent,
		})
	}
	count := min(4+e.Company.Founders()/200, maxAccounts)
	for i := range count {
		o.Accounts = append(o.Accounts, e.account(i, o))
	}
	o.Policies = e.serviceControlPolicies(o)
	return o
}

func (e *Estate) account(index int, o Organization) Account {
	name, stage, parent := e.accountPlace(index, o)
	return Account{
		Index: index, ID: accountID(e.draw, index), Name: name, Stage: stage, Parent: parent,
		Email:     "aws+" + name + "@" + e.Company.Domain,
		Suspended: index == suspendedAccount,
		Invited:   index == managementAccount || e.draw.Percent(10, "invited", index),
		Joined:    e.before(200, 2400, "account joined", index),
	}
}

func (e *Estate) accountPlace(index int, o Organization) (name, stage, parent string) {
	switch index {
	case managementAccount:
		return e.Company.Slug + "-management", "", o.RootID
	case dataAccount:
		return "data-platform-prod", "prod", o.Units[unitRegulated].ID
	case developmentAccount:
		return "engineering-dev", "dev", o.Units[unitNonProduction].ID
	case securityAccount:
		return "security-tooling", "", o.Units[unitSecurity].ID
	case logArchiveAccount:
		return "log-archive", "", o.Units[unitSecurity].ID
	case sharedServicesAccount:
		return "shared-services", "", o.Units[unitInfrastructure].ID
	case suspendedAccount:
		return "acquired-legacy", "", o.Units[unitSuspended].ID
	}
	n := index - fixedAccounts
	line, stage := productLines[n/len(stages)%len(productLines)], stages[n%len(stages)]
	if n >= len(productLines)*len(stages) {
		// Beyond the product lines, teams get sandboxes of their own.
		return "sandbox-" + line + "-" + e.draw.Letters(5, chance.LowerAlphanumeric, "sandbox", index), "sandbox", o.Units[unitSandbox].ID
	}
	switch {
	case stage != "prod":
		return line + "-" + stage, stage, o.Units[unitNonProduction].ID
	case e.draw.Percent(25, "regulated", index):
		return line + "-prod", stage, o.Units[unitRegulated].ID
	default:
		return line + "-prod", stage, o.Units[unitProduction].ID
	}
}

// Management is the management account.
func (o Organization) Management() Account { return o.Accounts[managementAccount] }

// ARN is the organisation's own.
func (o Organization) ARN() string {
	return "arn:aws:organizations::" + o.Management().ID + ":organization/" + o.ID
}

// RootARN is that of the root.
func (o Organization) RootARN() string {
	return "arn:aws:organizations::" + o.Management().ID + ":root/" + o.ID + "/" + o.RootID
}

// UnitARN is that of a unit.
func (o Organization) UnitARN(unit Unit) string {
	return "arn:aws:organizations::" + o.Management().ID + ":ou/" + o.ID + "/" + unit.ID
}

// AccountARN is that of an account as the organisation's member.
func (o Organization) AccountARN(account Account) string {
	return "arn:aws:organizations::" + o.Management().ID + ":account/" + o.ID + "/" + account.ID
}

// Parent answers the parent of a unit or account; ok is false when there is
// no such child, or it is the root.
func (o Organization) Parent(child string) (parent string, ok bool) {
	for _, unit := range o.Units {
		if unit.ID == child {
			return unit.Parent, true
		}
	}
	for _, account := range o.Accounts {
		if account.ID == child {
			return account.Parent, true
		}
	}
	return "", false
}

// Path lists an account's identifier and those of everything above it, up to
// the root.
func (o Organization) Path(account Account) []string {
	path := []string{account.ID}
	for at := account.Parent; at != ""; at, _ = o.Parent(at) {
		path = append(path, at)
	}
	return path
}

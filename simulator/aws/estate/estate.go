package estate

import (
	"fmt"
	"sync"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Options say which estate to make.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
	// Region is where most buckets and functions are, and Identity Center.
	// Empty means us-east-1.
	Region string
	// Day is how many days have passed; see enterprise.Company.On.
	Day int
}

// SecondRegion holds about one in seven buckets and functions.
const SecondRegion = "eu-west-1"

// Estate is an AWS organisation. It is safe for concurrent use.
type Estate struct {
	Company      *enterprise.Company
	Region       string
	Organization Organization
	Center       *IdentityCenter

	draw       chance.Source
	accountIDs map[string]int
	iamPeople  [][]int32 // people with an IAM user, by account

	mu     sync.Mutex
	recent []*Inventory // most recently used last
}

// keptInventories bounds how many accounts' contents stay in memory.
const keptInventories = 24

// New makes an estate.
func New(options Options) (*Estate, error) {
	company, err := enterprise.New(options.People, options.Seed)
	if err != nil {
		return nil, fmt.Errorf("make the people of the estate: %w", err)
	}
	e := &Estate{Company: company.On(options.Day), Region: options.Region, draw: company.Draw(), accountIDs: map[string]int{}}
	if e.Region == "" {
		e.Region = "us-east-1"
	}
	e.Organization = e.organization()
	for i, account := range e.Organization.Accounts {
		e.accountIDs[account.ID] = i
	}
	e.Center = e.identityCenter()
	e.iamPeople = e.placePeople()
	return e, nil
}

// AccountByID finds an account of the organisation by its twelve digits.
func (e *Estate) AccountByID(id string) (Account, bool) {
	i, ok := e.accountIDs[id]
	if !ok {
		return Account{}, false
	}
	return e.Organization.Accounts[i], true
}

// Inventory answers what is in an account. The result is shared and must not
// be changed.
func (e *Estate) Inventory(account int) *Inventory {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, kept := range e.recent {
		if kept.Account.Index == account {
			e.recent = append(append(e.recent[:i:i], e.recent[i+1:]...), kept)
			return kept
		}
	}
	made := e.makeInventory(e.Organization.Accounts[account])
	if len(e.recent) >= keptInventories {
		e.recent = append([]*Inventory(nil), e.recent[1:]...)
	}
	e.recent = append(e.recent, made)
	return made
}

// placePeople decides who has an IAM user, and in which account: contractors
// more often than employees, whose users are left from before Identity Center.
func (e *Estate) placePeople() [][]int32 {
	placed := make([][]int32, len(e.Organization.Accounts))
	// Who has joined since day 0 has no IAM user: Identity Center is what is used.
	for i := range e.Company.Founders() {
		if i == e.contractor() {
			placed[developmentAccount] = append(placed[developmentAccount], int32(i))
			continue
		}
		share := 6
		if e.Company.Employment(i) == enterprise.Contractor {
			share = 30
		}
		if !e.draw.Percent(share, "has iam user", i) {
			continue
		}
		account := e.draw.Intn(len(placed), "iam user account", i)
		if len(placed[account]) < maxPeoplePerAccount {
			placed[account] = append(placed[account], int32(i))
		}
	}
	return placed
}

// maxPeoplePerAccount leaves room for service users under IAM's quota of
// 5,000 users per account.
const maxPeoplePerAccount = 4900

// contractor is the index of the person whose access the estate is sure to
// make interesting.
func (e *Estate) contractor() int { return e.Company.Founders() - 1 }

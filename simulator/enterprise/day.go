package enterprise

import "time"

// Days pass as in a company of people who rarely change anything: each day one in
// a thousand joins and fewer leave, and now and then somebody moves to another
// department. All of it follows from seed, index and day, so that any day can be
// made without those before it.
const (
	// joinPermille of the founders join each day, at least one person.
	joinPermille = 1
	// longestStay is how many days after day 0, or after they joined, the last
	// ones leave.
	longestStay = 1500
	// accountsKept is for how many days the accounts of leavers are still there.
	accountsKept = 30
	// moveEvery is how many days people stay in a department.
	moveEvery = 900
)

// On returns the company as it is on a day, 0 being that of New. Those who have
// joined since come after the founders; nobody's index ever changes.
func (c *Company) On(day int) *Company {
	then := *c
	then.day = max(0, day)
	return &then
}

// Day is the day on which the company is seen.
func (c *Company) Day() int { return c.day }

// joinersADay is how many people join on each day.
func (c *Company) joinersADay() int { return max(1, c.people*joinPermille/1000) }

func (c *Company) joined() int { return min(c.day*c.joinersADay(), MaxPeople-c.people) }

// joinedOn is the day on which the index-th person joined; 0 for founders.
func (c *Company) joinedOn(index int) int {
	if index < c.people {
		return 0
	}
	return 1 + (index-c.people)/c.joinersADay()
}

// constant says that somebody never changes: the head of the company, and the
// contractor whose access is told stories about.
func (c *Company) constant(index int) bool { return index == 0 || index == c.people-1 }

// leavesOn is the first day on which the index-th person is not here any more.
func (c *Company) leavesOn(index int) int {
	return c.joinedOn(index) + 1 + c.draw.Intn(longestStay, "leaves", index)
}

// Leaver says whether the index-th person has left since day 0.
func (c *Company) Leaver(index int) bool { return !c.constant(index) && c.day >= c.leavesOn(index) }

// Removed says whether the index-th person left so long ago, and since day 0, that
// their accounts are gone.
func (c *Company) Removed(index int) bool {
	return !c.constant(index) && c.day >= c.leavesOn(index)+accountsKept
}

// moves is how often the index-th person has moved to another department.
func (c *Company) moves(index int) int {
	if c.constant(index) {
		return 0
	}
	return c.Turns(index, moveEvery, "moves")
}

// Turns is how often something of the index-th person has changed that changes
// every so many days, on another day for each.
func (c *Company) Turns(index, every int, kind string) int {
	return (c.day - c.joinedOn(index) + c.draw.Intn(every, kind, index)) / every
}

func (c *Company) started(index int) time.Time {
	if index >= c.people {
		return AsOf().AddDate(0, 0, c.joinedOn(index)).Truncate(24 * time.Hour)
	}
	return AsOf().AddDate(0, 0, -c.draw.Between(20, 3600, "started", index)).Truncate(24 * time.Hour)
}

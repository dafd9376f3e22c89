package enterprise

import (
	"fmt"
	"math/bits"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// MaxPeople is the largest company that can be made.
const MaxPeople = 2_000_000

// Company is an employer and its people. It is immutable and safe for
// concurrent use.
type Company struct {
	// Name is how the company writes itself, for example "Quillmark".
	Name string
	// Slug is the name in lower-case letters, as used in host and bucket names.
	Slug string
	// Domain is the mail domain, always under .example.
	Domain string

	// people is how many there are on day 0.
	people int
	day    int
	draw   chance.Source
	stride uint64
	offset uint64
}

// New makes the company of a seed with so many people, 2 to MaxPeople.
func New(people int, seed int64) (*Company, error) {
	if people < 2 || people > MaxPeople {
		return nil, fmt.Errorf("a company has 2 to %d people, not %d", MaxPeople, people)
	}
	draw := chance.New(seed)
	name := draw.Pick(companies, "company")
	slug := slugOf(name)
	pairs := uint64(len(givenNames) * len(familyNames))
	stride := draw.Uint64("name stride")%pairs | 1
	for gcd(stride, pairs) != 1 {
		stride += 2
	}
	return &Company{
		Name: name, Slug: slug, Domain: slug + ".example",
		people: people, draw: draw, stride: stride % pairs, offset: draw.Uint64("name offset") % pairs,
	}, nil
}

// People is the number of people so far, present and former.
func (c *Company) People() int { return c.people + c.joined() }

// Founders is the number of people on day 0. They are the first ones.
func (c *Company) Founders() int { return c.people }

// Draw is the source of chance of this company's seed, for simulators that
// invent what their provider adds to the people.
func (c *Company) Draw() chance.Source { return c.draw }

// pair maps an index to a given name and a family name so that no two people
// share both until every pair was used; round counts how often that happened.
// Going around the pairs with a stride that has no common factor with their
// number visits each exactly once, without remembering any.
func (c *Company) pair(index int) (given, family string, round int) {
	pairs := uint64(len(givenNames) * len(familyNames))
	high, low := bits.Mul64(uint64(index)%pairs, c.stride)
	_, at := bits.Div64(high, low, pairs)
	at = (at + c.offset) % pairs
	return givenNames[at%uint64(len(givenNames))], familyNames[at/uint64(len(givenNames))], index / int(pairs)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

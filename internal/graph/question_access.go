package graph

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Bounds of the work behind one page. An answer that met one says so
// (Truncated, or a page with fewer rows than asked for and a cursor).
const (
	maxEntitlements = 50_000
	maxSessions     = 10_000
	maxExamined     = 5_000
	// CountLimit is how far answers are counted.
	CountLimit = 10_000
	// countPage is how many rows are judged at a time while counting.
	countPage = 1_000
	// countPages is how often that is done: a filter that matches little must not
	// make counting judge everybody.
	countPages = 50
)

// AccessFilter narrows an access question; zero fields do not narrow.
type AccessFilter struct {
	// Action is one action of the provider, such as "s3:GetObject", without
	// wildcards: only grants that speak of it count.
	Action string
	// Type is the provider's term for the account (who can) or the resource
	// (what can).
	Type string
	// Connection and Integration limit where access is looked for.
	Connection  id.Connection
	Integration integration.ID
	Kind        AccessKind
	// Effective asks for what would become of each row's request: by the account
	// (who can), or by any account of the subject (what can); it needs an Action.
	Effective bool
	// Context is what is known of the circumstances of these requests, as in
	// [connector.AccessRequest].
	Context map[string][]string
	// AsOf is the moment that the answer shows.
	AsOf Moment
	// After continues an answer.
	After *AccessPosition
	// Limit is the most rows of a page, at least 1.
	Limit int
	// Count asks for the number of rows, up to [CountLimit] and as far as the
	// bounds of the work allow.
	Count bool
}

// AccessPosition is a place in an answer. Rows come in order of Level, the
// number of accounts that must be assumed at least, then of the id of the
// account or resource. What an identity can reach is in order of Connection
// before; who can reach, by identity, is in order of Identity behind.
type AccessPosition struct {
	Connection id.Connection
	Level      int
	ID         EntityID
	Identity   IdentityID
}

// AccessRow is one row of an answer.
type AccessRow struct {
	Access
	// Principals represented by the account, at most 20.
	Principals []EntityID
	// Effective is the best route of the account, or of the subject's accounts, to
	// the action on the resource; nil unless asked for, and where the bounds of the work were met.
	Effective *Route

	at AccessPosition
	// all are, of what a subject can reach, the actions of each of its accounts that
	// reaches it.
	all []string
}

// AccessAnswer is a page of who can reach a resource, or of what a principal
// can reach.
type AccessAnswer struct {
	// Subject is the entity that was asked about; Identity is set instead when an
	// identity was.
	Subject  Entity
	Identity *Identity
	Rows     []AccessRow
	// Entities are those that the rows name, Identities those of the principals
	// among them.
	Entities   map[EntityID]Entity
	Identities Described
	// Next continues the answer; nil at its end. A page may have fewer rows
	// than its limit, even none, before the end: the work of a page is bounded.
	Next *AccessPosition
	// Truncated says that the graph around the subject exceeds the bounds of a
	// question and rows may be missing or their reasons incomplete.
	Truncated bool
	// Count is the number of rows over all pages, when asked for; CountIsLower
	// says that there may be more.
	Count        *int
	CountIsLower bool
	// AsOf is the moment that the answer shows.
	AsOf          time.Time
	HistoryBegins *time.Time
	Coverage      []Coverage
}

// access is one access question on its way to an answer.
type access struct {
	view     View
	conn     id.Connection
	filter   AccessFilter
	now      time.Time
	includes out
	// first is what the first walk read of the lists that are merged.
	first *Walked
	// represented has the principals of accounts that may become rows.
	represented represented
	// counting says that rows are judged to be counted only.
	counting bool
	// truncated is set when a bound was met.
	truncated bool
}

// pager yields the rows of an answer behind a position, in order: up to want
// rows, and where the next begins; nil at the end.
type pager interface {
	page(ctx context.Context, after *AccessPosition, want int) (rows []AccessRow, next *AccessPosition, err error)
}

func validAction(action string) error {
	for _, c := range action {
		if c == '*' || c == '?' || c <= ' ' || c > '~' {
			return fault.InvalidField("query.action", "must be one action without wildcards, such as s3:GetObject")
		}
	}
	return nil
}

// elsewhere reports whether the filter looks in other connections only.
func (f *AccessFilter) elsewhere(e Entity) bool {
	return f.Connection != 0 && f.Connection != e.Connection || f.Integration != "" && f.Integration != e.Integration
}

// complete fills an answer from a pager.
func (a *access) complete(ctx context.Context, p pager, answer *AccessAnswer) error {
	if !a.filter.elsewhere(answer.Subject) {
		// One row more than the page tells whether there is a next page.
		rows, next, err := p.page(ctx, a.filter.After, a.filter.Limit+1)
		if err != nil {
			return err
		}
		if len(rows) > a.filter.Limit {
			rows = rows[:a.filter.Limit]
			next = &rows[len(rows)-1].at
		}
		answer.Rows, answer.Next = rows, next
		if a.filter.Count {
			a.counting = true
			if err := count(ctx, p, answer); err != nil {
				return err
			}
		}
	} else if a.filter.Count {
		answer.Count = new(int)
	}
	answer.Truncated = a.truncated
	return a.describe(ctx, answer)
}

// begin is where the page that was asked for begins.
func (a *access) begin() AccessPosition {
	if a.filter.After == nil {
		return AccessPosition{}
	}
	return *a.filter.After
}

// heads asks for the beginnings of the lists that this page merges.
func (a *access) heads() *Heads {
	return &Heads{After: a.begin().ID, About: a.filter.Limit + 1}
}

// takeFirst returns what has been read of these lists, to the page alone: the
// first merge is its.
func (a *access) takeFirst() *Walked {
	first := a.first
	a.first = nil
	return first
}

// count goes through the whole answer, up to the limits of rows and of work.
func count(ctx context.Context, p pager, answer *AccessAnswer) error {
	total := 0
	var after *AccessPosition
	for range countPages {
		rows, next, err := p.page(ctx, after, countPage)
		if err != nil {
			return err
		}
		total += len(rows)
		if after = next; next == nil || total > CountLimit {
			break
		}
	}
	answer.CountIsLower = after != nil || total > CountLimit
	total = min(total, CountLimit)
	answer.Count = &total
	return nil
}

// describe adds principals, what rows name, and coverage.
func (a *access) describe(ctx context.Context, answer *AccessAnswer) error {
	named, principals := map[EntityID]bool{}, map[EntityID]bool{}
	for i := range answer.Rows {
		a.represented.show(&answer.Rows[i], named, principals)
	}
	d, err := a.view.Describe(ctx, a.conn, keys(named), keys(principals))
	answer.Entities, answer.Identities, answer.Coverage = d.Entities, d.Identities, []Coverage{d.Coverage}
	return err
}

// represented says for accounts which principals they represent.
type represented map[EntityID][]EntityID

func (r represented) add(edges []Edge, now time.Time) {
	for i := range edges {
		if s := standingOf(&edges[i], now); s.active && !s.deny {
			r[edges[i].To] = append(r[edges[i].To], edges[i].From)
		}
	}
}

// of returns the first principals of an account, in order.
func (r represented) of(account EntityID) []EntityID {
	// A copy: one account may be in several rows.
	principals := distinct(slices.Clone(r[account]))
	return principals[:min(len(principals), maxPrincipals)]
}

// show fills in a row's principals, and notes what the row names.
func (r represented) show(row *AccessRow, named, principals map[EntityID]bool) {
	row.Principals = r.of(row.Account)
	row.names(named)
	for _, p := range row.Principals {
		named[p], principals[p] = true, true
	}
}

// names notes the entities that an access speaks of.
func (a *Access) names(named map[EntityID]bool) {
	named[a.Account], named[a.Resource] = true, true
	for _, grounds := range [][]Ground{{a.Nearest}, a.Allows, a.Denies} {
		for _, g := range grounds {
			named[g.Account], named[g.Via], named[g.Entitlement] = true, true, true
		}
	}
}

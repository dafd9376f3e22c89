package graph

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

const (
	// maxWays bounds the ways of one row.
	maxWays = 20
	// maxFellows bounds the principals that are looked for behind the accounts of
	// a page, and groupChunk how many accounts that are at a time.
	maxFellows = 2_000
	groupChunk = 500
)

// WhoCanByIdentity answers as [Questions.WhoCan], with one row for all accounts of
// a person or workload. A row is where the first of its accounts is. An account
// that represents several identities is in the row of each; one that represents
// nobody known is a row by itself.
func (q *Questions) WhoCanByIdentity(ctx context.Context, c workspace.Caller, resource EntityID, f AccessFilter) (IdentityAccessAnswer, error) {
	var answer IdentityAccessAnswer
	if err := validAction(f.Action); err != nil {
		return answer, err
	}
	if err := f.validEffective(); err != nil {
		return answer, err
	}
	err := q.ask(ctx, c, f.AsOf, func(v View) error {
		subject, err := v.Entity(ctx, resource)
		if err != nil {
			return err
		}
		if err := mustBe("path.resource_id", subject, connector.Resource); err != nil {
			return err
		}
		answer = IdentityAccessAnswer{Subject: subject, AsOf: v.Moment(), HistoryBegins: v.HistoryBegins()}
		// The account at which a page goes on is looked at again.
		after := f.After
		if f.After != nil && f.After.Identity != (IdentityID{}) {
			f.After = &AccessPosition{Level: f.After.Level, ID: f.After.ID.before()}
		}
		g := &grouped{whoCan: whoCan{access: access{view: v, conn: subject.Connection, filter: f, now: v.Moment(), represented: represented{}}, resource: resource}}
		if f.elsewhere(subject) {
			if f.Count {
				answer.Count, answer.Accounts = new(int), new(int)
			}
			return g.name(ctx, &answer)
		}
		if err := g.prepare(ctx); err != nil {
			return err
		}
		if err := g.fill(ctx, after, &answer); err != nil {
			return err
		}
		if f.Count {
			if err := g.count(ctx, &answer); err != nil {
				return err
			}
		}
		answer.Truncated = g.truncated
		if err := g.name(ctx, &answer); err != nil || !f.Effective {
			return err
		}
		return q.effectiveWays(ctx, c, v, f, &answer)
	})
	return answer, err
}

// grouped puts the rows of who can together by identity.
type grouped struct{ whoCan }

// fill reads rows until the page is full. Accounts are judged in their order; one
// that is the first of an identity brings all others of it with it, and one that is
// not is passed over, since it has been told of.
func (g *grouped) fill(ctx context.Context, after *AccessPosition, answer *IdentityAccessAnswer) error {
	at, chunk := g.filter.After, g.filter.Limit+1
	for examined := 0; examined < maxExamined; {
		rows, next, err := g.page(ctx, at, chunk)
		if err != nil {
			return err
		}
		groups, err := g.groups(ctx, rows)
		if err != nil {
			return err
		}
		for _, row := range rows {
			for _, of := range groups.led(row) {
				place := AccessPosition{Level: row.at.Level, ID: row.at.ID, Identity: of.identity}
				if after != nil && place.Level == after.Level && place.ID == after.ID && bytes.Compare(of.identity[:], after.Identity[:]) <= 0 {
					continue
				}
				if len(answer.Rows) == g.filter.Limit {
					return nil // Next is that of the row before.
				}
				answer.Rows = append(answer.Rows, of.row())
				answer.Next = &place
			}
		}
		if at = next; next == nil {
			answer.Next = nil
			return nil
		}
		examined += max(len(rows), 1)
		// Many accounts of few identities are gone through in few exchanges.
		chunk = min(4*chunk, groupChunk)
	}
	answer.Next = at
	return nil
}

// group is the ways of one identity.
type group struct {
	identity IdentityID
	// by is one of its principals that acts through a way.
	by   EntityID
	ways []AccessRow
}

func (g *group) row() IdentityAccess {
	row := IdentityAccess{Decision: Denied, Kind: InheritedAccess, Ways: g.ways[:min(len(g.ways), maxWays)], Accounts: len(g.ways), by: g.by}
	if g.identity != (IdentityID{}) {
		row.Identity = &Identity{ID: g.identity}
	}
	for i := range g.ways {
		row.Decision = better(row.Decision, g.ways[i].Decision)
		if g.ways[i].Kind == DirectAccess {
			row.Kind = DirectAccess
		}
	}
	return row
}

// groups are the identities behind some rows.
type groups struct {
	// of says which identities an account represents, in order.
	of map[EntityID][]IdentityID
	// ways are those of an identity, in order of their places.
	ways map[IdentityID][]AccessRow
	// by is the first principal of an identity that acts through one of them.
	by map[IdentityID]EntityID
}

// led are the identities whose first account is the row's.
func (g *groups) led(row AccessRow) (led []group) {
	of := g.of[row.Account]
	if len(of) == 0 {
		return []group{{ways: []AccessRow{row}}}
	}
	for _, i := range of {
		if ways := g.ways[i]; len(ways) > 0 && ways[0].Account == row.Account {
			led = append(led, group{identity: i, by: g.by[i], ways: ways})
		}
	}
	return led
}

// groups looks for the other accounts of whoever the rows' accounts represent, and
// judges them all.
func (g *grouped) groups(ctx context.Context, rows []AccessRow) (*groups, error) {
	found := &groups{of: map[EntityID][]IdentityID{}, ways: map[IdentityID][]AccessRow{}, by: map[IdentityID]EntityID{}}
	known := map[EntityID]bool{}
	for _, row := range rows {
		for _, p := range g.represented[row.Account] {
			known[p] = true
		}
	}
	if len(known) == 0 {
		return found, nil
	}
	fellows, err := g.view.Fellows(ctx, g.conn, keys(known), maxFellows)
	if err != nil {
		return nil, err
	}
	g.truncated = g.truncated || len(fellows) >= maxFellows
	identities := map[EntityID]IdentityID{}
	for p := range known {
		identities[p] = p.OwnIdentity()
	}
	for _, f := range fellows {
		identities[f.Principal], known[f.Principal] = f.Identity, true
	}
	judged, acting, err := g.judgeAll(ctx, keys(known))
	if err != nil {
		return nil, err
	}
	for account, principals := range acting {
		for _, p := range principals {
			i := identities[p]
			found.of[account] = append(found.of[account], i)
			if first, ok := found.by[i]; !ok || bytes.Compare(p[:], first[:]) < 0 {
				found.by[i] = p
			}
		}
		slices.SortFunc(found.of[account], func(a, b IdentityID) int { return bytes.Compare(a[:], b[:]) })
		found.of[account] = slices.Compact(found.of[account])
	}
	for _, row := range judged {
		for _, i := range found.of[row.Account] {
			found.ways[i] = append(found.ways[i], row)
		}
	}
	return found, nil
}

// judgeAll judges every account that principals represent, and returns the rows in
// order of their places, and who acts through which account.
func (g *grouped) judgeAll(ctx context.Context, principals []EntityID) ([]AccessRow, represented, error) {
	hops := append([]Hop{{Kind: connector.PrincipalRepresentsAccount, Side: From}}, g.lookHops(1)...)
	read, err := g.walk(ctx, principals, hops...)
	if err != nil {
		return nil, nil, err
	}
	acting := represented{}
	acting.add(read[1].Edges, g.now)
	accounts := map[EntityID]bool{}
	for account := range acting {
		accounts[account] = true
	}
	s := g.sight(read[2].Edges, read[3].Edges)
	if len(read) > 4 {
		g.represented.add(read[4].Edges, g.now)
	}
	rows, err := s.look(ctx, keys(accounts))
	levels := s.levels()
	for i := range rows {
		rows[i].at = AccessPosition{Level: levels[rows[i].Account], ID: rows[i].Account}
	}
	slices.SortFunc(rows, func(a, b AccessRow) int {
		return cmp.Or(cmp.Compare(a.at.Level, b.at.Level), bytes.Compare(a.at.ID[:], b.at.ID[:]))
	})
	return rows, acting, err
}

// count counts accounts and identities, as far as [count] does.
func (g *grouped) count(ctx context.Context, answer *IdentityAccessAnswer) error {
	accounts, nobodys := 0, 0
	identities := map[IdentityID]bool{}
	var after *AccessPosition
	for range countPages {
		rows, next, err := g.page(ctx, after, countPage)
		if err != nil {
			return err
		}
		who := map[EntityID]bool{}
		for _, row := range rows {
			accounts++
			if len(g.represented[row.Account]) == 0 {
				nobodys++
			}
			for _, p := range g.represented[row.Account] {
				who[p] = true
			}
		}
		joined, err := g.view.Identities(ctx, keys(who))
		if err != nil {
			return err
		}
		for p := range who {
			identities[Described(joined).Of(Entity{ID: p}).ID] = true
		}
		if after = next; next == nil || accounts > CountLimit {
			break
		}
	}
	answer.CountIsLower = after != nil || accounts > CountLimit
	rows := min(len(identities)+nobodys, CountLimit)
	accounts = min(accounts, CountLimit)
	answer.Count, answer.Accounts = &rows, &accounts
	return nil
}

// name names what the rows speak of.
func (g *grouped) name(ctx context.Context, answer *IdentityAccessAnswer) error {
	named, principals := map[EntityID]bool{}, map[EntityID]bool{}
	for i := range answer.Rows {
		for j := range answer.Rows[i].Ways {
			g.represented.show(&answer.Rows[i].Ways[j], named, principals)
		}
		if row := &answer.Rows[i]; row.Identity != nil {
			named[row.by], principals[row.by] = true, true
		}
	}
	d, err := g.view.Describe(ctx, g.conn, keys(named), keys(principals))
	if err != nil {
		return err
	}
	answer.Entities, answer.Identities, answer.Coverage = d.Entities, d.Identities, []Coverage{d.Coverage}
	for i := range answer.Rows {
		if row := &answer.Rows[i]; row.Identity != nil {
			whose := d.Identities.Of(d.Entities[row.by])
			row.Identity = &whose
		}
	}
	return nil
}

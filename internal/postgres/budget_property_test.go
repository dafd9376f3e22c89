package postgres_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
)

// budgetModel knows what was given of one budget, and when at the latest.
type budgetModel struct {
	b     *budgets
	tb    testing.TB
	limit connector.ThrottleLimit
	// passed is how much time the test has let go by.
	passed time.Duration
	// at is the end of the last step, and paused the earliest that the provider's
	// wish may end.
	at, paused time.Time
	steps      []budgetStep
}

// budgetStep is what was given between two times, less what was given back.
type budgetStep struct {
	from, to time.Time
	net      int
}

func (m *budgetModel) now() time.Time { return m.b.now(m.tb).Add(m.passed) }

// done notes a step, and that the law holds for every stretch that ends with it.
func (m *budgetModel) done(t require.TestingT, net int) {
	from := m.at
	m.at = m.now()
	m.steps = append(m.steps, budgetStep{from: from, to: m.at, net: net})
	given := 0
	for _, s := range slices.Backward(m.steps) {
		given += s.net
		most := float64(m.limit.Burst) + m.limit.Rate()*m.at.Sub(s.from).Seconds()
		require.LessOrEqual(t, float64(given), most+1e-6, "in %s", m.at.Sub(s.from))
	}
	if net > 0 {
		require.False(t, m.at.Before(m.paused), "given %s before the provider's wish ends", m.paused.Sub(m.at))
	}
}

// Whatever workers do and whenever, in any time no more is given than the limit
// says for it, and nothing while the provider has asked to wait.
func TestBudgetLawHoldsForAnyInterleaving(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	var takers []*taker
	for range 3 {
		takers = append(takers, b.taker(t, iam("1"), perSecond(1, 1)))
	}
	accounts := 0
	rapid.Check(t, func(r *rapid.T) {
		accounts++
		m := &budgetModel{b: b, tb: t, limit: connector.ThrottleLimit{
			Calls: rapid.IntRange(1, 200).Draw(r, "calls"), PerSeconds: rapid.SampledFrom([]int{1, 60, 86400}).Draw(r, "period"),
			Burst: rapid.IntRange(1, 100).Draw(r, "burst"), Concurrent: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(r, "concurrent"),
		}}
		for _, a := range takers {
			a.key, a.limit, a.last.Chunk = iam(fmt.Sprint("law ", accounts)), m.limit, 0
		}
		m.at = m.now()
		for range rapid.IntRange(1, 15).Draw(r, "steps") {
			a := rapid.SampledFrom(takers).Draw(r, "taker")
			switch rapid.SampledFrom([]string{"take", "take", "take", "give back", "refuse", "pass"}).Draw(r, "step") {
			case "take":
				m.done(r, a.take(r, rapid.IntRange(1, 120).Draw(r, "want")))
			case "give back":
				n := rapid.IntRange(0, 150).Draw(r, "unused")
				before := b.number(t, "select coalesce(sum(unsettled), 0) from throttle_holders where run_id = $1 and key[1] = $2", a.Run.ID, a.key.Parts[0])
				a.giveBack(r, n)
				m.done(r, -min(n, before))
			case "refuse":
				wait := time.Duration(rapid.IntRange(0, 100).Draw(r, "seconds")) * time.Second
				m.paused = maxTime(m.paused, m.at.Add(wait))
				a.refuse(r, wait)
				m.done(r, 0)
			case "pass":
				d := time.Duration(rapid.IntRange(1, 200_000).Draw(r, "milliseconds")) * time.Millisecond
				b.pass(t, a.key, d)
				m.passed += d
			}
		}
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Two connections that always want more get about half each, though one asks all
// the time and for much, and the other when it is told to and for less.
func TestBudgetIsFairToUnequalDemand(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := perSecond(20, 20)
	greedy, modest := b.taker(t, iam("1"), limit), b.taker(t, iam("1"), limit)
	const step = 50 * time.Millisecond
	gotGreedy, gotModest := 0, 0
	var sleeps time.Duration
	for range 400 {
		gotGreedy += greedy.take(t, 200)
		if sleeps -= step; sleeps <= 0 {
			g := modest.ask(t, askFor(12))
			gotModest += g.Tokens
			sleeps = g.Wait
		}
		b.pass(t, iam("1"), step)
	}
	all := gotGreedy + gotModest
	require.GreaterOrEqual(t, all, 400, "what is there is given out")
	require.InDelta(t, float64(all)/2, float64(gotModest), 20+12, "greedy got %d", gotGreedy)
}

// However many want however much, nobody is served more than another who wants
// more, but for what they ask for at once.
func TestBudgetStarvesNobody(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	var all []*taker
	first := b.taker(t, iam("1"), perSecond(1, 1))
	for range 4 {
		all = append(all, b.taker(t, iam("1"), perSecond(1, 1)))
	}
	accounts := 0
	rapid.Check(t, func(r *rapid.T) {
		accounts++
		takers := all[:rapid.IntRange(2, len(all)).Draw(r, "takers")]
		burst := rapid.IntRange(1, 20).Draw(r, "burst")
		type demand struct {
			want, got int
			next      time.Duration
		}
		demands := make([]demand, len(takers))
		most := 0
		for i, a := range takers {
			a.key, a.limit = iam(fmt.Sprint("turn ", accounts)), perSecond(rapid.IntRange(1, 50).Draw(r, "rate"), burst)
			a.limit = connector.ThrottleLimit{Calls: takers[0].limit.Calls, PerSeconds: 1, Burst: burst}
			demands[i].want = rapid.IntRange(1, 3).Draw(r, "want")
			most = max(most, min(demands[i].want, burst))
		}
		// Somebody else has had the burst, and goes.
		first.key, first.limit = takers[0].key, takers[0].limit
		require.Equal(r, burst, first.take(r, burst))
		first.ask(r, budget.Ask{Leaves: true})
		var clock, asking time.Duration
		for given := 0; given < 8*len(takers); {
			i := soonest(len(demands), func(i int) time.Duration { return demands[i].next })
			b.standStill(t, takers[0].key)
			if wait := demands[i].next - clock; wait > 0 {
				b.pass(t, takers[0].key, wait)
				clock += wait
			}
			asked := time.Now()
			g := takers[i].ask(r, askFor(demands[i].want))
			asking += time.Since(asked)
			demands[i].got += g.Tokens
			given += g.Tokens
			if g.Tokens == 0 {
				require.Positive(r, g.Wait)
				demands[i].next = clock + time.Duration(rapid.Float64Range(0.5, 1).Draw(r, "eagerness")*float64(g.Wait))
			}
		}
		least, top := demands[0].got, demands[0].got
		for _, d := range demands {
			least, top = min(least, d.got), max(top, d.got)
		}
		// Time stood still but while they asked, when whoever asked had what came in.
		more := int(asking.Seconds() * takers[0].limit.Rate())
		require.LessOrEqual(r, top-least, 2*most+more, "%+v", demands)
	})
}

func soonest(n int, at func(int) time.Duration) (first int) {
	for i := range n {
		if at(i) < at(first) {
			first = i
		}
	}
	return first
}

// On the real database at once: many take as fast as they can, and no more is given
// than the time that it took allows.
func TestBudgetLawHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := perSecond(200, 50)
	const workers, rounds = 12, 40
	var takers []*taker
	for range workers {
		takers = append(takers, b.taker(t, iam("1"), limit))
	}
	from := b.now(t)
	var given atomic.Int64
	var all sync.WaitGroup
	for i, a := range takers {
		all.Go(func() {
			for n := range rounds {
				g := a.ask(t, askFor(1+(i+n)%9))
				given.Add(int64(g.Tokens))
				if n%5 == 4 && g.Tokens > 0 {
					a.giveBack(t, 1)
					given.Add(-1)
				}
			}
		})
	}
	all.Wait()
	took := b.now(t).Sub(from).Seconds()
	require.GreaterOrEqual(t, given.Load(), int64(limit.Burst), "the burst at least")
	require.LessOrEqual(t, float64(given.Load()), float64(limit.Burst)+limit.Rate()*took+1e-6)
	require.Equal(t, 1, b.number(t, "select count(*) from throttle_budgets"))
}

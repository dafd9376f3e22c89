package graph

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Bounds of the question since when.
const (
	// MaxIntervals is the most intervals of an answer; the latest are told.
	MaxIntervals = 50
	// maxInstants is how many moments are looked at, at most.
	maxInstants = 2_000
)

// SinceQuery asks since when an entity, or an identity when that is set, has
// reached a resource.
type SinceQuery struct {
	From     EntityID
	Identity IdentityID
	Resource EntityID
	// Action is as in [AccessFilter].
	Action string
}

// EdgeVersion is one version of an edge, current or ended.
type EdgeVersion struct {
	Edge
	// Until is when it was found to have ended; nil while it is current.
	Until *time.Time
	// Observed says that its part of a stream had been read completely before the
	// version began, so that it was not there before.
	Observed bool
}

// Seen is a publication as the time of what it began and ended.
type Seen struct {
	// Published is the time that versions carry, Visible when readers saw it.
	Published, Visible time.Time
	Run                id.Run
	// Retired are stream partitions that went out of scope.
	Retired []int64
	// Torn says that from then on some part was not read completely which one of
	// the edges that were asked about is of.
	Torn bool
}

// Past is every version of the edges by which something may have been reached.
type Past struct {
	Versions []EdgeVersion
	// Seen are the connection's publications in order.
	Seen []Seen
	// Begins is from when on history is kept; nil for from the beginning on.
	Begins *time.Time
	// Truncated says that there are more edges or publications.
	Truncated bool
}

// Beginning is how an interval began.
type Beginning string

// The beginnings. What is first observed may have been so before; of what goes on
// from before history begins, more is not known.
const (
	BeganAdded    Beginning = "added"
	BeganObserved Beginning = "first_observed"
	BeganChanged  Beginning = "changed"
	BeganBefore   Beginning = "history_begins"
)

// Interval is a time in which a resource was reached in one way.
type Interval struct {
	From time.Time
	// Until is nil while it goes on.
	Until *time.Time
	// Decision is as in [Access].
	Decision Decision
	Began    Beginning
	// BeganBy and EndedBy are the runs that saw it begin and end; zero where
	// something expired, or it did not.
	BeganBy, EndedBy id.Run
	// Steps are the shortest way at its beginning.
	Steps []Step
	// NotObserved are the stretches in which a part that something of it depends on
	// was not read completely: it is then shown as it was known before.
	NotObserved []Stretch
}

// Stretch is a time; Until is nil while it goes on.
type Stretch struct {
	From  time.Time
	Until *time.Time
}

// SinceAnswer is since when a resource has been reached.
type SinceAnswer struct {
	// From is zero when an Identity was asked about.
	From, Resource Entity
	Identity       *Identity
	// Since is the beginning of the time in which the resource has been reached
	// without a break, until now; nil when it is not reached now. What is denied
	// does not reach.
	Since *time.Time
	// Intervals are the latest first; those that touch follow without a break.
	Intervals     []Interval
	MoreIntervals bool
	Entities      map[EntityID]Entity
	Partitions    map[int64]PartitionName
	Truncated     bool
	AsOf          time.Time
	HistoryBegins *time.Time
	Coverage      []Coverage
}

// Since answers since when a resource has been reached, by which edges, and which
// runs saw it. An identity is asked about with the principals that it has now.
func (q *Questions) Since(ctx context.Context, c workspace.Caller, s SinceQuery) (SinceAnswer, error) {
	var answer SinceAnswer
	if err := validAction(s.Action); err != nil {
		return answer, err
	}
	err := q.ask(ctx, c, Moment{}, func(v View) error {
		answer = SinceAnswer{AsOf: v.Moment()}
		begin, err := everBeginning(ctx, v, s)
		if err != nil {
			return err
		}
		answer.From, answer.Identity = begin.entity, begin.identity
		if answer.Resource, err = v.Ever(ctx, s.Resource); err != nil {
			return err
		}
		if err := mustBe("query.to", answer.Resource, connector.Resource); err != nil {
			return err
		}
		conn := answer.Resource.Connection
		if from := begin.of(conn); len(from) > 0 {
			past, err := v.Past(ctx, conn, from, []EntityID{s.Resource})
			if err != nil {
				return err
			}
			t := timeline{from: from, to: s.Resource, action: s.Action, past: past, now: v.Moment()}
			t.tell(&answer)
		}
		answer.Truncated = answer.Truncated || begin.truncated
		return answer.explain(ctx, v, begin.with(conn))
	})
	return answer, err
}

// everBeginning is what is asked about; it may have left the graph.
func everBeginning(ctx context.Context, v View, s SinceQuery) (beginning, error) {
	if s.Identity != (IdentityID{}) {
		return beginnings(ctx, v, EntityID{}, s.Identity)
	}
	e, err := v.Ever(ctx, s.From)
	if err != nil {
		return beginning{}, err
	}
	if err := mustBe("query.from", e, connector.Principal, connector.Account); err != nil {
		return beginning{}, err
	}
	return beginning{entity: e, at: map[id.Connection][]EntityID{e.Connection: {e.ID}}}, nil
}

// explain names what the ways speak of, and says how completely was looked.
func (a *SinceAnswer) explain(ctx context.Context, v View, of []id.Connection) (err error) {
	named, partitions := map[EntityID]bool{}, map[int64]bool{}
	for _, i := range a.Intervals {
		for _, s := range i.Steps {
			named[s.From], named[s.To] = true, true
			for _, e := range s.Edges {
				partitions[e.Partition] = true
			}
		}
	}
	if a.Entities, err = v.EverNamed(ctx, a.Resource.Connection, keys(named)); err != nil {
		return err
	}
	ids := make([]int64, 0, len(partitions))
	for p := range partitions {
		ids = append(ids, p)
	}
	if a.Partitions, err = v.Partitions(ctx, ids); err != nil {
		return err
	}
	a.Coverage, err = coverageOf(ctx, v, of...)
	return err
}

// timeline goes through the moments at which something changed.
type timeline struct {
	from   []EntityID
	to     EntityID
	action string
	past   Past
	now    time.Time
}

// instant is a moment at which something may have changed.
type instant struct {
	at time.Time
	// run made it; zero when something expired.
	run id.Run
}

// visible returns when what was published at a time could be seen.
func (t *timeline) visible(published time.Time) time.Time {
	i, found := slices.BinarySearchFunc(t.past.Seen, published, func(s Seen, at time.Time) int { return s.Published.Compare(at) })
	if !found {
		return published.UTC()
	}
	return t.past.Seen[i].Visible.UTC()
}

// instants are the moments to look at, in order, none before history begins or after
// now.
func (t *timeline) instants() (all []instant, truncated bool) {
	at := map[time.Time]id.Run{}
	for i := range t.past.Versions {
		e := &t.past.Versions[i]
		at[t.visible(e.ValidFrom)] = e.FirstRun
		if e.Terms != nil && e.Terms.ExpiresAt != nil {
			if _, known := at[e.Terms.ExpiresAt.UTC()]; !known {
				at[e.Terms.ExpiresAt.UTC()] = 0
			}
		}
		if e.Until == nil {
			continue
		}
		if _, known := at[t.visible(*e.Until)]; !known {
			at[t.visible(*e.Until)] = 0
		}
	}
	for _, s := range t.past.Seen {
		if _, is := at[s.Visible.UTC()]; is {
			at[s.Visible.UTC()] = s.Run
		}
	}
	if b := t.past.Begins; b != nil {
		if _, known := at[b.UTC()]; !known {
			at[b.UTC()] = 0
		}
	}
	for when, run := range at {
		if when.After(t.now) || t.past.Begins != nil && when.Before(*t.past.Begins) {
			continue
		}
		all = append(all, instant{when, run})
	}
	slices.SortFunc(all, func(a, b instant) int { return a.at.Compare(b.at) })
	if len(all) > maxInstants {
		return all[len(all)-maxInstants:], true
	}
	return all, false
}

// tell fills in the intervals.
func (t *timeline) tell(answer *SinceAnswer) {
	instants, truncated := t.instants()
	var found []Interval
	for _, now := range instants {
		s := t.state(now.at)
		decision, reaches := s.decide(t.from, t.to, t.action)
		var steps []Step
		if reaches {
			steps = s.way(t.from, t.to, t.action)
		}
		if n := len(found); n > 0 && found[n-1].Until == nil {
			last := &found[n-1]
			if reaches && last.Decision == decision && sameWay(last.Steps, steps) {
				continue
			}
			until := now.at
			last.Until, last.EndedBy = &until, now.run
		}
		if reaches {
			found = append(found, Interval{From: now.at, Decision: decision, Began: t.began(now.at, steps), BeganBy: now.run, Steps: steps})
		}
	}
	slices.Reverse(found)
	answer.Since = since(found)
	answer.MoreIntervals = len(found) > MaxIntervals
	answer.Intervals = found[:min(len(found), MaxIntervals)]
	for i := range answer.Intervals {
		answer.Intervals[i].NotObserved = t.torn(answer.Intervals[i])
	}
	answer.Truncated, answer.HistoryBegins = truncated || t.past.Truncated, t.past.Begins
}

// since is the beginning of what goes on without a break.
func since(latestFirst []Interval) *time.Time {
	var began *time.Time
	for i := range latestFirst {
		interval := &latestFirst[i]
		touches := interval.Until == nil || began != nil && interval.Until.Equal(*began)
		if !touches || interval.Decision == Denied {
			break
		}
		began = &interval.From
	}
	return began
}

// began says how an interval began, by the edges of its way that began with it.
func (t *timeline) began(at time.Time, steps []Step) Beginning {
	if b := t.past.Begins; b != nil && at.Equal(*b) {
		return BeganBefore
	}
	how := BeganChanged
	for i := range t.past.Versions {
		e := &t.past.Versions[i]
		if !t.visible(e.ValidFrom).Equal(at) || !onWay(steps, &e.Edge) {
			continue
		}
		if !e.Observed {
			return BeganObserved
		}
		how = BeganAdded
	}
	return how
}

func onWay(steps []Step, e *Edge) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Link == Link{Kind: e.Kind, From: e.From, To: e.To} })
}

// sameWay reports whether two ways are by the same versions of the same edges.
func sameWay(a, b []Step) bool {
	return slices.EqualFunc(a, b, func(a, b Step) bool {
		return a.Link == b.Link && slices.EqualFunc(a.Edges, b.Edges, func(a, b Edge) bool { return a.ID == b.ID && a.ValidFrom.Equal(b.ValidFrom) })
	})
}

// torn are the stretches of an interval that were not observed.
func (t *timeline) torn(i Interval) (all []Stretch) {
	for _, s := range t.past.Seen {
		if i.Until != nil && !s.Visible.Before(*i.Until) {
			break
		}
		from := s.Visible
		if from.Before(i.From) {
			from = i.From
		}
		last := len(all) - 1
		switch {
		case s.Torn && (last < 0 || all[last].Until != nil):
			all = append(all, Stretch{From: from})
		case !s.Torn && last >= 0 && all[last].Until == nil:
			if all[last].Until = &from; !from.After(all[last].From) {
				all = all[:last]
			}
		}
	}
	if last := len(all) - 1; last >= 0 && all[last].Until == nil {
		all[last].Until = i.Until
	}
	return all
}

// state is the edges of the past as they were at a moment.
func (t *timeline) state(at time.Time) *state {
	s := &state{edges: map[connector.RelationshipKind]out{}, now: at}
	for i := range t.past.Versions {
		e := &t.past.Versions[i]
		if t.visible(e.ValidFrom).After(at) || e.Until != nil && !t.visible(*e.Until).After(at) {
			continue
		}
		if s.edges[e.Kind] == nil {
			s.edges[e.Kind] = out{}
		}
		s.edges[e.Kind][e.From] = append(s.edges[e.Kind][e.From], &e.Edge)
	}
	for _, edges := range s.edges {
		for _, from := range edges {
			slices.SortFunc(from, func(a, b *Edge) int { return cmp.Or(compareIDs(a.To, b.To), compareIDs(a.ID, b.ID)) })
		}
	}
	return s
}

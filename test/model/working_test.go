package model

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// claimable says whether a worker may be given a run.
func (m *machine) claimable(r id.Run) bool {
	s := m.now[r]
	return s.Status != "completed" && s.Phase == "executing" && (!s.Held || s.Expired) && s.Attempt < run.MaxAttempts && !s.Cancel && !s.Overdue
}

// claim asks for a run. Those before it whose connection cannot be used any more
// end instead, each by itself.
func (m *machine) claim() bool {
	m.now = m.see(m, m.scope.Workspace)
	before, could := m.hash(), map[id.Run]bool{}
	for r := range m.runs {
		could[r] = m.claimable(r)
	}
	req := run.ClaimRequest{Queues: operation.Queues(), Worker: "model"}
	rand.Read(req.Lease[:])
	rand.Read(req.TokenHash[:])
	var a run.Assignment
	var ok bool
	o, _ := m.call(func(ctx context.Context) (err error) {
		a, ok, err = m.stores.Claim(ctx, req)
		return err
	})
	m.now = m.see(m, m.scope.Workspace)
	var taken id.Run
	for r, s := range m.now {
		want := m.runs[r]
		switch {
		case want == nil || !could[r]:
		case run.LeaseID(s.Lease) == req.Lease:
			taken = r
		case s.Status == "completed" && want.conn.deleted:
			m.complete(want, audit.RunCancelled)
		case s.Status == "completed" && want.conn.disabled:
			m.complete(want, audit.RunBlocked)
		case o == done && !ok:
			m.require(asTheModelSays, false, "nothing could be claimed, and %s was there", r)
		}
	}
	m.require(asTheModelSays, o != done || ok == (taken != 0) && (!ok || a.Run.ID == taken), "a claim was answered %v %s and took %s", ok, a.Run.ID, taken)
	if taken != 0 {
		s := m.runs[taken]
		m.require(oneHolder, could[taken] && !s.conn.deleted && !s.conn.disabled, "%s was given away, which nobody may have", taken)
		s.status, s.held, s.begun, s.lease = "running", true, true, req.Lease
		s.epoch++
		s.events = append(s.events, string(audit.RunStarted))
	}
	m.settle(o, before, func() bool { return true }, func() {})
	if o != done || !ok {
		return true // a claim whose answer was lost is nobody's until its lease ends
	}
	m.require(batchesInOrder, int(a.NextBatch) == m.runs[taken].batches, "%s is to go on at batch %d, not %d", taken, a.NextBatch, m.runs[taken].batches)
	h := &hold{run: taken, fence: run.Fence{Workspace: m.scope.Workspace, Run: taken, Epoch: a.Run.Epoch, Lease: req.Lease, TokenHash: req.TokenHash}}
	m.holds = append(m.holds, h)
	reached, err := m.stores.Reach(context.Background(), h.fence, reach(m.runs[taken].conn.id))
	require.NoError(m, err)
	m.require(asTheModelSays, reached, "%s ended for what it reaches", taken)
	return true
}

// current says whether a hold is the one that counts.
func (m *machine) current(h *hold) bool {
	s := m.runs[h.run]
	return s.held && s.lease == h.fence.Lease && s.epoch == h.fence.Epoch && s.status == "running" && s.phase == "executing"
}

// held draws one of the newest holds, which may be nobody's any more.
func (m *machine) held() *hold {
	if len(m.holds) == 0 {
		return nil
	}
	newest := m.holds[max(0, len(m.holds)-5):]
	return newest[len(newest)-1-m.pick(len(newest), "worker")]
}

// write makes a call for a worker. allowed says what else than the hold it takes.
func (m *machine) write(h *hold, allowed bool, fn func(ctx context.Context) error, took func(seen) bool, effect func(*modelled)) outcome {
	before, may := m.hash(), m.current(h) && allowed
	o, err := m.call(fn)
	m.require(currentOnly, o != done || m.current(h), "a call of %s in epoch %d was accepted", h.run, h.fence.Epoch)
	m.require(asTheModelSays, o == unknown || may == (o == done), "a call of %s in epoch %d came out as %d: %v", h.run, h.fence.Epoch, o, err)
	m.settle(o, before, func() bool { return may && took(m.now[h.run]) }, func() { effect(m.runs[h.run]) })
	return o
}

func (m *machine) heartbeat() bool {
	h := m.held()
	if h == nil {
		return false
	}
	var told bool
	note := fmt.Sprint(len(m.holds), m.pick(1000, "note"))
	o := m.write(h, true, func(ctx context.Context) (err error) {
		told, err = m.stores.Heartbeat(ctx, h.fence, run.Progress{Message: note})
		return err
	}, func(seen) bool { return m.progress(h.run) == note }, func(*modelled) {})
	s := m.now[h.run]
	m.require(noneAfterCancel, o != done || told == (s.Cancel || s.Overdue), "%s is cancelled: %v, and its worker was told %v", h.run, s.Cancel, told)
	return true
}

func (m *machine) progress(r id.Run) (message string) {
	err := m.super.QueryRow(context.Background(), `select coalesce(progress->>'message', '') from runs where run_id = $1`, r).Scan(&message)
	require.NoError(m, err)
	return message
}

// batch sends the next batch.
func (m *machine) batch() bool {
	h := m.held()
	if h == nil {
		return false
	}
	s, all := m.runs[h.run], plan(h.run)
	if s.batches >= len(all) {
		return false
	}
	o := m.take(h, all[s.batches], !s.cancel, 1)
	m.require(noneAfterCancel, o != done || !s.cancel, "a batch of %s was taken after it had been cancelled", h.run)
	return true
}

// sameBatch sends the last batch again, or another one under its number.
func (m *machine) sameBatch() bool {
	h := m.holdsBatches()
	if h == nil || !m.current(h) && m.pick(3, "stale") > 0 {
		if h = m.begin(); h == nil {
			return false
		}
	}
	s := m.runs[h.run]
	next, b := s.batches, plan(h.run)[s.batches-1]
	if m.pick(2, "other content") == 0 {
		o := m.take(h, b, !s.cancel, 0)
		m.require(sameBatch, o != done || s.batches == next, "batch %d of %s counted twice", next-1, h.run)
		return true
	}
	b.Page.Entities = append([]connector.Entity{{Ref: connector.Ref{Kind: connector.Account, ID: "other"}, Name: "other"}}, b.Page.Entities...)
	b.Digest = digest(b)
	m.require(sameBatch, m.take(h, b, false, 0) != done, "batch %d of %s was taken with other content", next-1, h.run)
	return true
}

// calmly does something without faults and with the first of whatever is drawn.
func (m *machine) calmly(do func()) {
	pick := m.pick
	m.pick = func(int, string) int { return 0 }
	do()
	m.pick = pick
}

// begin gives a worker a run of some connection, and has it send a batch, without
// faults; nil when none can be started.
func (m *machine) begin() (h *hold) {
	c := m.conns[m.pick(len(m.conns), "connection")]
	m.calmly(func() {
		if _, in := m.unfinished(c); in == nil {
			m.startOn(c, discovering)
		}
		known := len(m.holds)
		m.claim()
		if len(m.holds) > known && m.batch() {
			h = m.holds[known]
		}
	})
	return h
}

// holdsBatches is the newest hold, if its run has batches.
func (m *machine) holdsBatches() *hold {
	for i := len(m.holds) - 1; i >= 0; i-- {
		if m.runs[m.holds[i].run].batches > 0 {
			return m.holds[i]
		}
	}
	return nil
}

// wrongBatch sends a batch that may not be taken by anybody.
func (m *machine) wrongBatch() bool {
	h := m.held()
	if h == nil {
		return false
	}
	next, all := m.runs[h.run].batches, plan(h.run)
	if m.pick(3, "out of order") == 0 {
		b := all[len(all)-1]
		b.Number = int64(next + 1 + m.pick(3, "gap"))
		b.Digest = digest(b)
		m.require(batchesInOrder, m.take(h, b, false, 0) != done, "batch %d of %s was taken, and %d was next", b.Number, h.run, next)
		return true
	}
	m.require(onlyTheirStream, m.take(h, broken(int64(next), m.pick(4, "breach")), false, 0) != done, "a page of %s that breaks the contract was taken", h.run)
	return true
}

// broken are pages that the contract forbids.
func broken(n int64, how int) graph.Batch {
	b := graph.Batch{Number: n, Stream: "users", Partition: "a", End: connector.Complete}
	e := connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: "x"}, Name: "x", Type: "user"}
	switch how {
	case 0:
		b.Stream = "undeclared"
	case 1:
		e.Kind = connector.Resource
	case 2:
		e.ID = ""
	default:
		e.Attributes = []byte(`{"deep": ` + nested(2000) + `}`)
	}
	b.Page.Entities = []connector.Entity{e}
	b.Digest = sha256.Sum256(fmt.Appendf(nil, "%d %d", n, how))
	return b
}

func nested(depth int) string {
	text := make([]byte, 0, 2*depth)
	for range depth {
		text = append(text, '[')
	}
	for range depth {
		text = append(text, ']')
	}
	return string(text)
}

// take sends a batch, by which the run advances by that many.
func (m *machine) take(h *hold, b graph.Batch, allowed bool, by int) outcome {
	was := m.runs[h.run].batches
	return m.write(h, allowed, func(ctx context.Context) error {
		return m.ingest.Take(ctx, h.fence, b.Number, func() (graph.Batch, error) { return b, nil })
	}, func(s seen) bool { return s.Batches > was || by == 0 }, func(s *modelled) {
		s.batches += by
		if by > 0 {
			s.entities += len(b.Page.Entities)
		}
	})
}

// finish ends the reading, after however many batches.
func (m *machine) finish() bool {
	h := m.held()
	if h == nil {
		return false
	}
	m.write(h, !m.runs[h.run].cancel, func(ctx context.Context) error {
		_, err := m.stores.FinishReading(ctx, h.fence, false)
		return err
	}, func(s seen) bool { return s.Phase == "publishing" }, func(s *modelled) { s.phase, s.held = "publishing", false })
	return true
}

// fail ends the run for its worker.
func (m *machine) fail() bool {
	h := m.held()
	if h == nil || m.pick(2, "whether") > 0 {
		return false
	}
	m.write(h, true, func(ctx context.Context) error {
		_, err := m.stores.Fail(ctx, h.fence, failing())
		return err
	}, func(s seen) bool { return s.Status == "completed" }, func(s *modelled) {
		event := audit.RunFailed
		if s.conn.deleted {
			event = audit.RunCancelled
		}
		m.complete(s, event)
	})
	return true
}

func (m *machine) handBack() bool {
	h := m.held()
	if h == nil {
		return false
	}
	m.write(h, true, func(ctx context.Context) error { return m.stores.HandBack(ctx, h.fence) },
		func(s seen) bool { return !s.Held }, func(s *modelled) { s.held = false; m.ready++ })
	return true
}

// publish merges what a run has read, or tries to merge what is not to be merged.
func (m *machine) publish() bool {
	r := m.chosen("run to publish", func(_ id.Run, s *modelled) bool { return s.phase == "publishing" && s.status != "completed" })
	if r == 0 {
		r = m.chosen("run not to publish", func(id.Run, *modelled) bool { return true })
	}
	if r == 0 {
		return false
	}
	m.publishRun(r)
	return true
}

func (m *machine) publishRun(r id.Run) {
	s, before := m.runs[r], m.hash()
	waits := s.phase == "publishing" && s.status != "completed"
	var merged bool
	o, err := m.call(func(ctx context.Context) (err error) {
		merged, err = m.stores.Publish(ctx, m.scope, r)
		return err
	})
	m.require(asTheModelSays, o != refused, "publishing %s: %v", r, err)
	if !waits {
		m.require(lateNothing, m.hash() == before && !merged, "publishing %s, which does not wait for it, did something", r)
		return
	}
	m.settle(o, before, func() bool { return m.now[r].Status == "completed" }, func() {
		if s.conn.deleted {
			m.complete(s, audit.RunFailed)
			return
		}
		after, event, kept := published(s.conn.graph, r, s.batches)
		found := m.names(m, s.conn.id)
		m.require(sameGraph, maps.Equal(found, after), "%s made of %v\n%v and not\n%v", r, s.conn.graph, found, after)
		for _, key := range kept {
			m.require(nothingDeleted, found[key] != "", "%s was deleted by %s, which did not read all there is", key, r)
		}
		s.conn.graph, s.published = after, 1
		m.complete(s, event)
	})
}

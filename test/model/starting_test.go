package model

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// start asks for an operation, as the gate does once it has looked at everything
// that needs no decision of the database.
func (m *machine) start() bool {
	c := m.conns[m.pick(len(m.conns), "connection")]
	kind := []string{discovering, discovering, discovering, other}[m.pick(4, "kind")]
	if c.deleted {
		return false
	}
	m.startOn(c, kind)
	return true
}

func (m *machine) startOn(c *installation, kind string) {
	if c.deleted {
		return
	}
	if c.disabled {
		m.block(c, kind)
		return
	}
	before := m.hash()
	in, holder := m.unfinished(c)
	var admitted run.Admitted
	o, _ := m.call(func(ctx context.Context) (err error) {
		admitted, err = m.stores.Admit(ctx, admission(m.scope, c.id, kind), started(audit.RunAccepted, audit.Succeeded))
		return err
	})
	m.settle(o, before, func() bool { return m.hash() != before }, func() {
		switch {
		case holder == nil:
			r := m.adopt(c, kind, string(audit.RunAccepted))
			m.require(asTheModelSays, o != done || admitted.Status == run.Accepted && admitted.Run.ID == r, "a start was answered %s %s", admitted.Status, admitted.Run.ID)
		case holder.kind != kind:
			m.require(asTheModelSays, o == done && admitted.Status == run.ScopeBusy && admitted.Run.ID == in, "a start was answered %s %s", admitted.Status, admitted.Run.ID)
		default:
			holder.rerun = holder.rerun || holder.status == "running"
			if o == done {
				m.require(asTheModelSays, admitted.Status == run.Deduped && admitted.Run.ID == in, "a start was answered %s %s", admitted.Status, admitted.Run.ID)
				m.joined = append(m.joined, &request{in, holder.status == "running"})
			}
		}
	})
}

// block records a start that cannot be.
func (m *machine) block(c *installation, kind string) {
	before := m.hash()
	o, _ := m.call(func(ctx context.Context) error {
		_, err := m.stores.Block(ctx, admission(m.scope, c.id, kind), operation.ConnectionDisabled, started(audit.RunBlocked, audit.Denied))
		return err
	})
	m.settle(o, before, func() bool { return m.hash() != before }, func() { m.adopt(c, kind, string(audit.RunBlocked)) })
}

// cancel asks for a run to end.
func (m *machine) cancel() bool {
	r := m.chosen("run to cancel", func(id.Run, *modelled) bool { return true })
	if r == 0 {
		return false
	}
	s, before := m.runs[r], m.hash()
	o, _ := m.call(func(ctx context.Context) error {
		_, err := m.stores.RequestCancel(ctx, m.scope, r, audit.System("model"))
		return err
	})
	m.require(asTheModelSays, (s.status == "completed" || s.phase == "publishing") == (o == refused) || o == unknown, "the cancellation of %s, %s %s, came out as %d", r, s.status, s.phase, o)
	m.settle(o, before, func() bool { return m.hash() != before }, func() {
		m.askToStop(s)
		if !s.held {
			m.complete(s, audit.RunCancelled)
		}
	})
	return true
}

func (m *machine) askToStop(s *modelled) {
	if !s.cancel {
		s.cancel = true
		s.events = append(s.events, string(audit.RunCancelRequested))
	}
}

// change does something to a connection.
func (m *machine) change() bool {
	c := m.conns[m.pick(len(m.conns), "connection")]
	if c.deleted {
		return false
	}
	switch m.pick(8, "change") {
	case 0:
		c.deleted = true
		m.exec(m, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, c.id)
		m.conns = append(m.conns, &installation{id: m.connect(m, m.scope), graph: map[string]string{}})
	case 1, 2:
		c.disabled = true
		m.exec(m, `update connections set lifecycle = 'disabled' where connection_id = $1`, c.id)
	case 3:
		m.exec(m, `update connections set name = name || '+', version = version + 1 where connection_id = $1`, c.id)
	default:
		c.disabled = false
		m.exec(m, `update connections set lifecycle = 'active' where connection_id = $1`, c.id)
	}
	return true
}

// expire lets a lease end.
func (m *machine) expire() bool {
	r := m.chosen("lease to end", func(_ id.Run, s *modelled) bool { return s.held })
	if r == 0 {
		return false
	}
	m.exec(m, `update runs set lease_until = clock_timestamp() - interval '1 second' where run_id = $1`, r)
	m.now = m.see(m, m.scope.Workspace)
	return true
}

// overdue lets the time of a run be over.
func (m *machine) overdue() bool {
	r := m.chosen("deadline to pass", func(_ id.Run, s *modelled) bool { return s.status != "completed" })
	if r == 0 || m.pick(3, "whether") > 0 {
		return false
	}
	m.exec(m, `update runs set deadline_at = clock_timestamp() - interval '1 second' where run_id = $1`, r)
	m.now = m.see(m, m.scope.Workspace)
	return true
}

// sweep ends what nobody else will end.
func (m *machine) sweep() bool {
	m.now = m.see(m, m.scope.Workspace)
	before, was := m.hash(), m.now
	var swept int
	o, _ := m.call(func(ctx context.Context) (err error) {
		swept, _, err = m.stores.Sweep(ctx, 200)
		return err
	})
	m.now = m.see(m, m.scope.Workspace)
	ended := 0
	for r, s := range was {
		want := m.runs[r]
		// Each run is ended by itself, so a sweep that failed may have ended some.
		untouched := o == unknown && m.now[r].Status == s.Status && m.now[r].Cancel == s.Cancel
		if want.status == "completed" || untouched {
			continue
		}
		event, stop := sweeps(want, s)
		switch {
		case event != "":
			m.complete(want, event)
			ended++
		case stop:
			m.askToStop(want)
		}
	}
	m.require(endsOnce, o != done || swept == ended, "a sweep ended %d runs, not %d", swept, ended)
	m.settle(o, before, func() bool { return true }, func() {})
	return true
}

// sweeps says how a sweep ends a run, or whether it tells its worker to stop.
func sweeps(want *modelled, s seen) (event audit.Action, stop bool) {
	executing, unheld := s.Phase == "executing", !s.Held || s.Expired
	gone := want.conn.deleted
	switch {
	case s.Overdue:
		return audit.RunFailed, false
	case executing && unheld && (s.Cancel || gone):
		return audit.RunCancelled, false
	case executing && s.Held && s.Expired && s.Attempt >= run.MaxAttempts:
		return audit.RunFailed, false
	}
	return "", executing && gone
}

// covered looks, when every run has ended, whether each request that was joined to
// a run was covered by one that began after it.
func (m *machine) covered() {
	for _, q := range m.joined {
		r, s := q.run, m.runs[q.run]
		if q.begun {
			// Without a follower, the connection could no longer be used.
			if s.follower == 0 {
				m.require(coveredLater, s.conn.deleted || m.blockedAfter(s), "nothing followed %s", r)
				continue
			}
			r, s = s.follower, m.runs[s.follower]
		}
		// One that ended without having begun was ended by a person, by time, or
		// because its connection can no longer be used; with it, what joined it.
		m.require(coveredLater, s.begun || s.status == "completed", "%s never began", r)
	}
}

// blockedAfter reports whether a blocked run says that a connection could not be
// used.
func (m *machine) blockedAfter(s *modelled) bool {
	for _, b := range m.runs {
		if b.conn == s.conn && len(b.events) == 1 && b.events[0] == string(audit.RunBlocked) {
			return true
		}
	}
	return false
}

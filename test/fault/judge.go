package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// graph counts graphs that are not what they should be.
const graph = "graph"

// currentSQL finds the digest of a connection's graph, how its last publication's
// run ended, and which state of the provider that run read; all of one moment.
const currentSQL = `
	select fault_history.digest($1), r.outcome::text,
		(select state from fault_history.states s where s.connection_id = $1 and s.after_run_id < r.run_id order by after_run_id desc limit 1)
	from publications p join runs r using (workspace_id, run_id)
	where p.connection_id = $1 order by p.published_at desc limit 1`

// compare looks whether a connection's graph is that of a run without faults. A
// run that did not read everything may leave another one.
func (s *suite) compare(ctx context.Context, k *connection) (whole bool, err error) {
	err = pgx.BeginTxFunc(ctx, s.super, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var digest, outcome string
		var state int
		if err := tx.QueryRow(ctx, currentSQL, k.number).Scan(&digest, &outcome, &state); err != nil {
			return err
		}
		whole = outcome == "succeeded"
		if whole && digest != k.digests[state] {
			s.report.breach(fmt.Sprintf("%s: that of %s is not what a run without faults makes of the provider", graph, k.id))
		}
		return nil
	})
	return whole, err
}

// watch compares graphs in the midst of it all, until the context ends.
func (s *suite) watch(ctx context.Context) {
	for i := 0; pause(ctx, 300*time.Millisecond); i++ {
		whole, err := s.compare(ctx, s.connections[i%len(s.connections)])
		if err == nil && whole {
			s.report.add(func() { s.report.Reads++ })
		}
	}
}

// restTime is how long everything may take to come to rest: a lease, further
// attempts, and a publish that has to be taken up again.
const restTime = 5 * time.Minute

// rest waits until no run is unfinished.
func (s *suite) rest(ctx context.Context) error {
	if err := until(ctx, "the database answers", func() bool { return s.super.Ping(ctx) == nil }); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	// What never ends is found, and shown, by the laws.
	_ = until(wait, "every run has ended", func() bool {
		if s.config.Hasten {
			s.endLeftLeases(ctx)
		}
		var unfinished int
		err := s.super.QueryRow(ctx, `select count(*) from runs where status <> 'completed'`).Scan(&unfinished)
		return err == nil && unfinished == 0
	})
	return ctx.Err()
}

// judge looks at everything there is to look at, at rest, and then whether runs
// without faults find the graph as it has to be.
func (s *suite) judge(ctx context.Context) error {
	found, err := s.breaches(ctx)
	if err != nil {
		return err
	}
	for _, b := range found {
		s.report.breach(b)
	}
	if err := s.judgeAnswers(ctx); err != nil {
		return err
	}
	for _, k := range s.connections {
		if _, err := s.compare(ctx, k); err != nil {
			return err
		}
	}
	if len(s.report.Breaches) > 0 {
		return nil
	}
	if err := s.discoverAll(ctx); err != nil {
		return err
	}
	for _, k := range s.connections {
		if _, err := s.compare(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// judgeAnswers holds against the database what callers were told.
func (s *suite) judgeAnswers(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for run := range s.acknowledged {
		var known bool
		if err := s.super.QueryRow(ctx, `select exists (select from runs where run_id = substr($1, 5)::bigint)`, run).Scan(&known); err != nil {
			return err
		}
		if !known {
			s.report.breach(lost + ": a run that was accepted is not there: " + run)
		}
	}
	for _, j := range s.joined {
		// A run that was cancelled took what had joined it with it.
		var covered bool
		err := s.super.QueryRow(ctx, `select exists (select from runs where connection_id = $1 and operation_type = 'discovery.run'
			and (started_at >= $2 or completed_at >= $2 and outcome in ('cancelled', 'blocked')))`, j.connection, j.asked).Scan(&covered)
		if err != nil {
			return err
		}
		if !covered {
			s.report.breach(fmt.Sprintf("%s: no run began after a start on conn_%d was joined to one, at %s", lost, j.connection, j.asked.Format(time.RFC3339Nano)))
		}
	}
	s.acknowledged, s.joined = map[string]bool{}, nil
	return nil
}

// taken notes that a run lost its worker.
func (s *suite) taken(t *takeOver) {
	if t == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeOvers = append(s.takeOvers, *t)
}

// endLease ends one lease now.
func (s *suite) endLease(ctx context.Context, t *takeOver) error {
	_, err := s.super.Exec(ctx, `update runs set lease_until = clock_timestamp() - interval '1 second'
		where run_id = $1 and epoch = $2 and status = 'running' and lease_until is not null`, t.run, t.epoch)
	return err
}

// endLeftLeases ends those that nobody has kept for a while. One whose worker only
// was slow is then taken from it, which is one fault more.
func (s *suite) endLeftLeases(ctx context.Context) {
	// Where there is no database at the moment, there is a next time.
	_, _ = s.super.Exec(ctx, `update runs set lease_until = clock_timestamp() - interval '1 second'
		where status = 'running' and lease_until between clock_timestamp() and clock_timestamp() + interval '41 seconds'`)
}

// sum counts what there was in the end.
func (s *suite) sum(ctx context.Context) error {
	rows, err := s.super.Query(ctx, `select operation_type || ' ' || outcome || coalesce(' ' || reason_code, ''), count(*)::int from runs group by 1`)
	if err != nil {
		return err
	}
	var what string
	var times int
	if _, err := pgx.ForEachRow(rows, []any{&what, &times}, func() error { s.report.Runs[what] = times; return nil }); err != nil {
		return err
	}
	var found []string
	s.report.Writes, s.report.Refused, found = s.recorder.checked()
	for _, f := range found {
		s.report.breach(stale + ": " + f)
	}
	for _, p := range s.processes() {
		s.report.ByItself += p.endedByItself()
	}
	if !s.config.Hasten {
		s.report.TakeOvers, err = s.takeOverTimes(ctx, s.takeOvers)
	}
	return err
}

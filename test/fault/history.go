package fault

import (
	"context"
	_ "embed" // the history's tables
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed history.sql
var historySQL string

// record makes the database keep the history.
func (d *deployment) record(ctx context.Context) error {
	if _, err := d.super.Exec(ctx, historySQL); err != nil {
		return fmt.Errorf("keep the history: %w", err)
	}
	return nil
}

// laws are queries that find what must not be, one row for each breach.
type law struct{ name, sql string }

// lost, doubled and stale are how the report counts breaches.
const (
	lost    = "lost"
	doubled = "doubled"
	stale   = "stale"
)

// ending lists the actions that end a run.
const ending = `('run_succeeded', 'run_partially_succeeded', 'run_failed', 'run_cancelled', 'run_blocked')`

// laws hold at rest, when no run is unfinished.
func laws() []law {
	return []law{
		{lost + ": a run never ended", `select run_id, status::text, phase::text, attempt from runs where status <> 'completed'`},
		{lost + ": a run ended without its audit event", `select run_id, outcome::text from runs r where status = 'completed'
			and not exists (select from audit_events e where e.target_id = 'run_' || r.run_id and e.action in ` + ending + `)`},
		{lost + ": a run began without its audit event", `select run_id, outcome::text from runs r
			where not exists (select from audit_events e where e.target_id = 'run_' || r.run_id and e.action in ('run_accepted', 'run_blocked'))`},
		{lost + ": an audit event has no run", `select target_id, action from audit_events e where target_type = 'run' and action like 'run\_%'
			and action not in ('run_denied') and not exists (select from runs r where e.target_id = 'run_' || r.run_id)`},
		{lost + ": a run that succeeded was not published", `select run_id from runs r where operation_type = 'discovery.run'
			and outcome in ('succeeded', 'partially_succeeded') and not exists (select from publications p where p.run_id = r.run_id)`},
		{doubled + ": a run ended twice", `select target_id, count(*) from audit_events where action in ` + ending + ` group by target_id having count(*) > 1`},
		{doubled + ": a run was accepted twice", `select target_id, count(*) from audit_events where action = 'run_accepted' group by target_id having count(*) > 1`},
		{doubled + ": a run was completed twice", `select run_id, count(*) from fault_history.runs where status = 'completed' and was is distinct from 'completed'
			group by run_id having count(*) > 1`},
		{doubled + ": a completed run became something else", `select run_id, status from fault_history.runs where was = 'completed' and status <> 'completed'`},
		{doubled + ": two runs had the same scope", `select run_id, beside from fault_history.runs where beside > 0`},
		{doubled + ": an epoch was skipped or given twice", `select run_id, epoch, before from (
			select run_id, epoch, lag(epoch) over (partition by run_id order by seq) as before from fault_history.runs) h
			where before is not null and epoch not in (before, before + 1) and not (epoch = before - 1)`},
		{doubled + ": batches were not stored one after the other", `select run_id, was, next_batch from fault_history.batches where was is not null and next_batch not in (was, was + 1)`},
		{stale + ": a batch was stored of a run that was cancelled, or that nobody held", `select run_id, epoch, next_batch from fault_history.batches
			where next_batch > was and not allowed`},
		{lost + ": staged rows are left", `select relname::text from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r'`},
	}
}

// maxShown bounds how many breaches of a law are shown one by one.
const maxShown = 5

// breaches returns what the laws found, by law.
func (d *deployment) breaches(ctx context.Context) ([]string, error) {
	var found []string
	for _, l := range laws() {
		rows, err := d.super.Query(ctx, l.sql)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		values, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
			v, err := row.Values()
			return strings.TrimSuffix(fmt.Sprintln(v...), "\n"), err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		for _, v := range values[:min(len(values), maxShown)] {
			found = append(found, l.name+": "+v)
		}
		if len(values) > maxShown {
			found = append(found, fmt.Sprintf("%s: and %d more", l.name, len(values)-maxShown))
		}
	}
	return found, nil
}

// takeOver is a run whose worker was taken away.
type takeOver struct {
	run, epoch int64
	at         time.Time
}

// takeOverTimes are how long it took until another worker had each of the runs, in
// order; those that ended first, because they were cancelled, are left out.
func (d *deployment) takeOverTimes(ctx context.Context, taken []takeOver) ([]time.Duration, error) {
	var times []time.Duration
	for _, t := range taken {
		var at *time.Time
		err := d.super.QueryRow(ctx, `select min(at) from fault_history.runs where run_id = $1 and epoch > $2 and status = 'running'`, t.run, t.epoch).Scan(&at)
		if err != nil {
			return nil, fmt.Errorf("time of a take-over: %w", err)
		}
		if at != nil {
			times = append(times, at.Sub(t.at))
		}
	}
	slices.Sort(times)
	return times, nil
}

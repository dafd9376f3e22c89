package fault

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/test/wire"
)

// strike is a kind of fault. inject returns when it has struck, and whether it
// found something to strike at; what it leaves broken it has repaired by then, or
// repairs in the background.
type strike struct {
	name string
	// weight is how often it comes, compared with others.
	weight int
	inject func(ctx context.Context, s *suite) (bool, error)
}

// strikes are all kinds of faults that can be injected here.
func (s *suite) strikes() []strike {
	all := []strike{
		{"backend terminated", 14, terminateBackend},
		{"commit lost before it arrived", 8, spoilCommit(wire.CommitNeverArrives)},
		{"commit landed, caller saw a failure", 10, spoilCommit(wire.CommitUnanswered)},
		{"connections to the database reset", 6, onDatabase(func(w *wire.Wire) { w.Cut() }, 0, 0)},
		{"database silent for a time", 3, onDatabase((*wire.Wire).Stall, 500, 4000)},
		{"database slow for a time", 3, onDatabase(func(w *wire.Wire) { w.Slow(40 * time.Millisecond) }, 500, 3000)},
		{"database out of reach for a time", 3, onDatabase((*wire.Wire).Part, 300, 3000)},
		{"connections between processes reset", 8, onPlatform(func(w *wire.Wire) { w.Cut() }, 0, 0)},
		{"answer lost between processes", 10, loseAnswers},
		{"processes silent to each other for a time", 3, onPlatform((*wire.Wire).Stall, 500, 6000)},
		{"processes slow to each other for a time", 3, onPlatform(func(w *wire.Wire) { w.Slow(100 * time.Millisecond) }, 500, 3000)},
		{"processes out of reach of each other for a time", 3, onPlatform((*wire.Wire).Part, 300, 4000)},
		{"provider throttles: a storm of 429", 4, onProvider(simulator.FaultThrottle, 3, 40)},
		{"provider is down: a storm of 5xx", 4, onProvider(simulator.FaultUnavailable, 3, 40)},
		{"provider's answers are broken", 3, onProvider(simulator.FaultBroken, 1, 8)},
		{"provider's sessions expire", 2, onProvider(simulator.FaultExpire, 1, 4)},
		{"provider's clock a day off", 1, skewProvider},
		{"worker killed", 6, killWorker},
		{"worker told to stop", 3, drainWorker},
		{"worker stopped for a moment", 3, pauseWorker},
		{"worker stopped past its lease", 2, freezeWorker},
		{"discovery service killed", 2, killService("discovery")},
		{"integrations service killed", 2, killService("integrations")},
		{"workspaces service killed", 1, killService("workspaces")},
		{"service stopped for a moment", 3, pauseService},
		{"PostgreSQL killed", 1, killDatabase},
		{"PostgreSQL restarted", 1, restartDatabase},
	}
	if s.disk != nil {
		all = append(all, strike{"PostgreSQL's disk full", 1, fillDisk})
	}
	return all
}

// between draws a time, in milliseconds.
func (s *suite) between(least, most int) time.Duration {
	return time.Duration(least+s.chance.IntN(most-least+1)) * time.Millisecond
}

// pause waits; it reports false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// terminateBackend ends a session of a service, one in the midst of something if
// there is any.
func terminateBackend(ctx context.Context, s *suite) (bool, error) {
	var ended bool
	err := s.super.QueryRow(ctx, `select coalesce((select pg_terminate_backend(pid) from pg_stat_activity
		where usename like 'svc\_%' order by (state <> 'idle') desc, random() limit 1), false)`).Scan(&ended)
	return ended, err
}

// spoilTime is how long a fault waits for a commit or an answer to strike at.
const spoilTime = 3 * time.Second

func spoilCommit(f wire.CommitFault) func(context.Context, *suite) (bool, error) {
	return func(ctx context.Context, s *suite) (bool, error) {
		w := s.databases[s.oneOf("discovery", "discovery", "discovery", "integrations")]
		_, before := w.Lost()
		w.SpoilCommit(f)
		defer w.SpoilCommit(wire.CommitPasses)
		return s.struck(ctx, func() bool { _, now := w.Lost(); return now > before })
	}
}

func loseAnswers(ctx context.Context, s *suite) (bool, error) {
	w := s.platforms[s.oneOf(workerToDiscovery, workerToDiscovery, workerToDiscovery, workerToIntegrations, integrationsToDiscovery, operatorToDiscovery)]
	before, _ := w.Lost()
	w.LoseAnswers(1)
	defer w.LoseAnswers(0)
	return s.struck(ctx, func() bool { now, _ := w.Lost(); return now > before })
}

// struck waits for a fault to find something to strike at.
func (s *suite) struck(ctx context.Context, yes func() bool) (bool, error) {
	wait, cancel := context.WithTimeout(ctx, spoilTime)
	defer cancel()
	_ = until(wait, "the fault has struck", yes) // nothing passed; another one will
	return yes(), ctx.Err()
}

// onDatabase breaks the wire of a service to PostgreSQL for a time.
func onDatabase(broken func(*wire.Wire), least, most int) func(context.Context, *suite) (bool, error) {
	return func(ctx context.Context, s *suite) (bool, error) {
		return s.breakWire(ctx, s.databases[s.oneOf("discovery", "discovery", "integrations", "workspaces")], broken, least, most)
	}
}

// onPlatform breaks one of the wires between processes for a time.
func onPlatform(broken func(*wire.Wire), least, most int) func(context.Context, *suite) (bool, error) {
	return func(ctx context.Context, s *suite) (bool, error) {
		return s.breakWire(ctx, s.platforms[s.oneOf(workerToDiscovery, workerToDiscovery, workerToIntegrations, integrationsToDiscovery)], broken, least, most)
	}
}

func (s *suite) breakWire(ctx context.Context, w *wire.Wire, broken func(*wire.Wire), least, most int) (bool, error) {
	broken(w)
	pause(ctx, s.between(least, most))
	w.Repair()
	return true, ctx.Err()
}

// onProvider lets so many calls of a provider fail.
func onProvider(kind string, least, most int) func(context.Context, *suite) (bool, error) {
	return func(_ context.Context, s *suite) (bool, error) {
		c := s.connections[s.chance.IntN(len(s.connections))]
		f := simulator.Fault{Kind: kind, Times: least + s.chance.IntN(most-least+1)}
		if kind == simulator.FaultExpire {
			f.After = s.chance.IntN(10)
		}
		return true, c.provider.fail(f)
	}
}

// skewProvider makes everybody else's clock wrong, in the eyes of a provider.
func skewProvider(ctx context.Context, s *suite) (bool, error) {
	p := s.connections[s.chance.IntN(len(s.connections))].provider
	p.ahead.Store(int64(24*time.Hour) * int64(1-2*s.chance.IntN(2)))
	pause(ctx, s.between(500, 4000))
	p.ahead.Store(0)
	return true, ctx.Err()
}

// holder picks a worker, one that holds a run if there is any, and says which.
func (s *suite) holder(ctx context.Context) (*process, *takeOver, error) {
	rows, err := s.super.Query(ctx, `select worker, run_id, epoch from runs where status = 'running' and phase = 'executing' and lease_until > clock_timestamp() order by run_id`)
	if err != nil {
		return nil, nil, fmt.Errorf("find workers: %w", err)
	}
	defer rows.Close()
	held := map[*process]takeOver{}
	var holders []*process
	for rows.Next() {
		var name string
		var t takeOver
		if err := rows.Scan(&name, &t.run, &t.epoch); err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(s.workers, func(p *process) bool { return p.name == name })
		if i >= 0 && !s.frozen[s.workers[i]] {
			held[s.workers[i]], holders = t, append(holders, s.workers[i])
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	if len(holders) == 0 {
		return s.workers[s.chance.IntN(len(s.workers))], nil, nil
	}
	p := holders[s.chance.IntN(len(holders))]
	t := held[p]
	t.at = time.Now()
	return p, &t, nil
}

func killWorker(ctx context.Context, s *suite) (bool, error) {
	p, held, err := s.holder(ctx)
	if err != nil {
		return false, err
	}
	p.end(syscall.SIGKILL, s.between(0, 2000))
	s.taken(held)
	return true, nil
}

func drainWorker(ctx context.Context, s *suite) (bool, error) {
	p, _, err := s.holder(ctx)
	if err != nil {
		return false, err
	}
	p.end(syscall.SIGTERM, s.between(0, 2000))
	return true, nil
}

func pauseWorker(ctx context.Context, s *suite) (bool, error) {
	p, _, err := s.holder(ctx)
	if err != nil {
		return false, err
	}
	return s.pauseProcess(ctx, p)
}

func pauseService(ctx context.Context, s *suite) (bool, error) {
	return s.pauseProcess(ctx, s.services[s.oneOf("discovery", "integrations", "workspaces")])
}

func (s *suite) pauseProcess(ctx context.Context, p *process) (bool, error) {
	p.signal(syscall.SIGSTOP)
	pause(ctx, s.between(300, 3000))
	if !s.frozen[p] {
		p.signal(syscall.SIGCONT)
	}
	return true, ctx.Err()
}

// freezeTime is longer than a lease.
const freezeTime = 50 * time.Second

// freezeWorker stops a worker until its lease is over and somebody else has its
// run, and lets it go on then.
func freezeWorker(ctx context.Context, s *suite) (bool, error) {
	p, held, err := s.holder(ctx)
	if err != nil || held == nil || len(s.frozen) > 0 {
		return false, err
	}
	p.signal(syscall.SIGSTOP)
	s.frozen[p] = true
	s.taken(held)
	length := freezeTime
	if s.config.Hasten {
		length = s.between(1500, 3000)
		if err := s.endLease(ctx, held); err != nil {
			return false, err
		}
	}
	s.thaw = append(s.thaw, thaw{p, time.Now().Add(length)})
	return true, nil
}

func killService(name string) func(context.Context, *suite) (bool, error) {
	return func(_ context.Context, s *suite) (bool, error) {
		s.services[name].end(syscall.SIGKILL, s.between(0, 2000))
		return true, nil
	}
}

func killDatabase(ctx context.Context, s *suite) (bool, error) {
	if err := s.server.Kill(); err != nil {
		return false, err
	}
	pause(ctx, s.between(0, 2000))
	return true, s.server.Restart(ctx)
}

func restartDatabase(ctx context.Context, s *suite) (bool, error) {
	return true, s.server.Restart(ctx)
}

// fillDisk leaves PostgreSQL without a byte for a time. It may not survive that.
func fillDisk(ctx context.Context, s *suite) (bool, error) {
	if err := s.disk.fill(); err != nil {
		return false, err
	}
	pause(ctx, s.between(1000, 4000))
	if err := s.disk.free(); err != nil {
		return false, err
	}
	wait, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if until(wait, "the database answers", func() bool { return s.super.Ping(ctx) == nil }) != nil {
		return true, s.server.Restart(ctx)
	}
	return true, ctx.Err()
}

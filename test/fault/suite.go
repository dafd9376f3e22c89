package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// suite is one run of all of it.
type suite struct {
	*deployment
	config      Config
	report      *Report
	connections []*connection
	// chance draws the faults; whoever works beside it has a source of its own.
	chance *rand.Rand
	// frozen are processes stopped for longer, and thaw when they go on.
	frozen map[*process]bool
	thaw   []thaw

	mu        sync.Mutex
	takeOvers []takeOver
	// acknowledged are runs that the gate said it had accepted.
	acknowledged map[string]bool
	joined       []joined
}

type thaw struct {
	process *process
	at      time.Time
}

// connection is one installation, its provider, and what its graph is without
// faults in each of the provider's states.
type connection struct {
	id       string
	number   int64
	provider *provider
	digests  [2]string
}

// Run injects faults until there were as many as asked for. The error is one of
// the suite's own; what it found is in the report.
func Run(ctx context.Context, c Config) (report *Report, err error) {
	started := time.Now()
	d, err := deploy(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	s := &suite{
		deployment: d, config: c, chance: rand.New(rand.NewPCG(c.Seed, 1)), frozen: map[*process]bool{}, acknowledged: map[string]bool{},
		report: &Report{Seed: c.Seed, Injected: map[string]int{}, Runs: map[string]int{}, Starts: map[string]int{}},
	}
	defer func() {
		s.repair()
		err = errors.Join(err, s.close())
		for _, k := range s.connections {
			k.provider.server.Close()
		}
	}()
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	for s.report.Faults() < c.Faults && len(s.report.Breaches) == 0 {
		if err := s.round(ctx); err != nil {
			return nil, fmt.Errorf("round %d: %w", s.report.Rounds+1, err)
		}
	}
	s.report.Took = time.Since(started)
	return s.report, s.sum(ctx)
}

// oneOf draws one of several.
func (s *suite) oneOf(names ...string) string { return names[s.chance.IntN(len(names))] }

// connect makes the connections and reads both states of each provider without
// faults: what the graph is then is what it has to be whatever happens.
func (s *suite) connect(ctx context.Context) error {
	for i := range s.config.Connections {
		p, err := newProvider(int64(s.config.Seed%1_000_000)*100+int64(i), s.config.People, s.config.Latency)
		if err != nil {
			return err
		}
		configuration := map[string]json.RawMessage{}
		for name, value := range p.configuration() {
			if configuration[name], err = json.Marshal(value); err != nil {
				return err
			}
		}
		made, err := s.integrations.CreateConnection(ctx, client.ConnectionDraft{IntegrationID: "aws", Name: fmt.Sprintf("Organisation %d", i+1), Configuration: configuration}, "")
		if err != nil {
			return fmt.Errorf("create a connection: %w", err)
		}
		k := &connection{id: made.Value.ConnectionID, provider: p}
		if _, err := fmt.Sscanf(k.id, "conn_%d", &k.number); err != nil {
			return fmt.Errorf("read %q: %w", k.id, err)
		}
		s.connections = append(s.connections, k)
	}
	for state := range 2 {
		if err := s.turn(ctx, int32(state)); err != nil {
			return err
		}
		if err := s.discoverAll(ctx); err != nil {
			return err
		}
		for _, k := range s.connections {
			if err := s.super.QueryRow(ctx, `select fault_history.digest($1)`, k.number).Scan(&k.digests[state]); err != nil {
				return err
			}
		}
	}
	for _, k := range s.connections {
		if k.digests[0] == k.digests[1] {
			return errors.New("the two states of a provider look the same; nothing could be told from them")
		}
	}
	return nil
}

// turn puts every provider into a state, while nothing reads them.
func (s *suite) turn(ctx context.Context, state int32) error {
	for _, k := range s.connections {
		k.provider.current.Store(state)
		_, err := s.super.Exec(ctx, `insert into fault_history.states select $1, coalesce(max(run_id), 0), $2 from runs`, k.number, state)
		if err != nil {
			return err
		}
	}
	return nil
}

// round injects faults while runs come and go, and then lets everything come to
// rest and looks at it.
func (s *suite) round(ctx context.Context) error {
	if err := s.turn(ctx, int32(s.report.Rounds%2)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	for i := range s.config.Connections {
		chance := rand.New(rand.NewPCG(s.config.Seed, uint64(100*s.report.Rounds+i+2)))
		beside.Go(func() { s.operate(work, chance) })
	}
	beside.Go(func() { s.watch(work) })
	err := s.injectAll(ctx, min(s.config.PerRound, s.config.Faults-s.report.Faults()))
	stop()
	beside.Wait()
	s.repair()
	if err != nil {
		return err
	}
	if err := s.rest(ctx); err != nil {
		return err
	}
	if err := s.judge(ctx); err != nil {
		return err
	}
	s.report.Rounds++
	fmt.Fprintf(s.config.Out, "Round %d: %d faults so far, %d breaches.\n", s.report.Rounds, s.report.Faults(), len(s.report.Breaches))
	return nil
}

// injectAll draws and injects so many faults.
func (s *suite) injectAll(ctx context.Context, faults int) error {
	all, weights := s.strikes(), 0
	for _, k := range all {
		weights += k.weight
	}
	for done := 0; done < faults; {
		drawn := s.chance.IntN(weights)
		i := 0
		for ; drawn >= all[i].weight; i++ {
			drawn -= all[i].weight
		}
		struck, err := all[i].inject(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			// What looks for a victim may meet a database that an earlier fault
			// has left in recovery.
			fmt.Fprintf(s.config.Out, "%s: %v\n", all[i].name, err)
		}
		if struck {
			s.report.inject(all[i].name)
			done++
		}
		s.thawDue(time.Now())
		if s.config.Hasten {
			s.endLeftLeases(ctx)
		}
		pause(ctx, time.Duration(s.chance.ExpFloat64()*float64(s.config.Pace)))
	}
	return nil
}

// thawDue lets processes go on whose time has come.
func (s *suite) thawDue(now time.Time) {
	rest := s.thaw[:0]
	for _, t := range s.thaw {
		if t.at.After(now) {
			rest = append(rest, t)
			continue
		}
		t.process.signal(syscall.SIGCONT)
		delete(s.frozen, t.process)
	}
	s.thaw = rest
}

// repair ends every fault that lasts.
func (s *suite) repair() {
	for _, w := range s.wires() {
		w.Repair()
	}
	for _, k := range s.connections {
		k.provider.repair()
	}
	for _, p := range s.processes() {
		p.signal(syscall.SIGCONT)
	}
	s.frozen, s.thaw = map[*process]bool{}, nil
}

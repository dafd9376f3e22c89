package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// joined is a start that was told that the same is under way already.
type joined struct {
	connection int64
	asked      time.Time
}

// answerTime bounds the wait for an answer that a fault may have eaten.
const answerTime = 10 * time.Second

// operate does what people do, until the context ends: most of all, it starts
// discoveries.
func (s *suite) operate(ctx context.Context, chance *rand.Rand) {
	for pause(ctx, time.Duration(200+chance.IntN(1300))*time.Millisecond) {
		k := s.connections[chance.IntN(len(s.connections))]
		switch n := chance.IntN(100); {
		case n < 84:
			s.start(ctx, k)
		case n < 88:
			s.cancel(ctx, k)
		default:
			s.test(ctx, k)
		}
	}
}

// start asks the gate for a discovery and keeps what it says.
func (s *suite) start(ctx context.Context, k *connection) {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	a, err := s.discovery.StartOperation(ctx, "discovery.run", k.id)
	if err != nil {
		s.report.answer("no answer")
		return
	}
	s.report.answer(a.Value.Status)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch a.Value.Status {
	case "accepted":
		if s.acknowledged[a.Value.Run.ID] {
			s.report.breach(doubled + ": a run was accepted for two callers: " + a.Value.Run.ID)
		}
		s.acknowledged[a.Value.Run.ID] = true
	case "deduped":
		s.joined = append(s.joined, joined{k.number, asked})
	}
}

// cancel asks for the connection's run to end.
func (s *suite) cancel(ctx context.Context, k *connection) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var run int64
	err := s.super.QueryRow(ctx, `select run_id from runs where connection_id = $1 and status <> 'completed' order by run_id limit 1`, k.number).Scan(&run)
	if err != nil {
		return // nothing to cancel, or no database
	}
	if _, err := s.discovery.CancelRun(ctx, fmt.Sprintf("run_%d", run)); err != nil {
		s.report.answer("cancel: refused or no answer")
		return
	}
	s.report.answer("cancel: asked for")
}

// test tests the connection, beside whatever else it does.
func (s *suite) test(ctx context.Context, k *connection) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := s.integrations.TestConnection(ctx, k.id); err != nil {
		s.report.answer("test: no answer in time")
		return
	}
	s.report.answer("test: answered")
}

// discoverAll reads every provider once, without faults, and requires that it
// succeeds.
func (s *suite) discoverAll(ctx context.Context) error {
	failures := make([]error, len(s.connections))
	var all sync.WaitGroup
	for i, k := range s.connections {
		all.Go(func() { failures[i] = s.discover(ctx, k) })
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

// calmTime bounds a discovery without faults; it takes a few seconds.
const calmTime = 3 * time.Minute

func (s *suite) discover(ctx context.Context, k *connection) error {
	ctx, cancel := context.WithTimeout(ctx, calmTime)
	defer cancel()
	var run string
	err := until(ctx, "a discovery starts on "+k.id, func() bool {
		a, err := s.discovery.StartOperation(ctx, "discovery.run", k.id)
		run = a.Value.Run.ID
		return err == nil && a.Value.Status == "accepted"
	})
	if err != nil {
		return err
	}
	var outcome string
	err = until(ctx, run+" ends", func() bool {
		a, err := s.discovery.Run(ctx, run, 20*time.Second)
		outcome = a.Value.Outcome + " " + a.Value.ReasonCode
		return err == nil && a.Value.Status == "completed"
	})
	if err == nil && outcome != "succeeded " {
		s.report.breach(fmt.Sprintf("%s: %s without any fault ended %s", lost, run, outcome))
	}
	return err
}

package worker_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

const goodFor = 5 * time.Second

// metered is a connector that asks for leave before each page.
func metered(keys ...string) (*scripted, *connector.Budget) {
	s := newScripted(keys...)
	limit := connector.ThrottleLimit{Calls: 10, PerSeconds: 1, Burst: 20}
	one := limit
	one.Concurrent = 2
	s.throttles = []connector.ThrottleScope{
		{Name: "calls", Description: "Calls", Key: []string{"account"}, Limit: limit},
		{Name: "exports", Description: "Exports", Key: []string{"account"}, Limit: one},
	}
	budget := new(connector.Budget)
	s.open = func(settings connector.Settings) error {
		*budget = settings.Budget
		return nil
	}
	s.at = func(ctx context.Context, p connector.Partition, _ int) error {
		release, err := (*budget).Take(ctx, calls(p.Key))
		if err != nil {
			return err
		}
		release()
		return nil
	}
	return s, budget
}

func calls(account string) connector.Use {
	return connector.Use{Scope: "calls", Key: []string{account}}
}

// generous gives what is asked for.
func generous(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
	return workerapi.BudgetAnswer{Granted: r.Want, Chunk: r.Chunk + 1, GoodForMilliseconds: goodFor.Milliseconds()}
}

// However many calls a connector makes, the platform is asked a few times.
func TestWorkerAsksForChunks(t *testing.T) {
	script, _ := metered("a")
	script.pages = 2000
	play(t, script, func(s *stage) {
		given := 0
		s.platform.budget = func(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
			given += r.Want - r.Unused
			return generous(r)
		}
		require.Nil(s, s.complete().Error)
		require.Less(s, s.platform.calls["budget"], 20)
		require.Equal(s, 2001, given, "what was not used is given back")
	})
}

// A run that waits says so, and keeps its lease.
func TestWorkerShowsWhatItWaitsFor(t *testing.T) {
	script, _ := metered("a")
	play(t, script, func(s *stage) {
		from := time.Now()
		s.platform.budget = func(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
			if wait := 2*time.Minute - time.Since(from); wait > 0 {
				return workerapi.BudgetAnswer{WaitMilliseconds: wait.Milliseconds(), Paused: true}
			}
			return generous(r)
		}
		require.Nil(s, s.complete().Error)
		require.Equal(s, []string{"users/a complete"}, s.platform.ends())
		require.GreaterOrEqual(s, time.Since(from), 2*time.Minute)
		shown := false
		for _, p := range s.platform.progress {
			shown = shown || p.Message == "waiting for the budget of calls (account a) until 2000-01-01 00:02:00 UTC"
		}
		require.True(s, shown, "%+v", s.platform.progress)
		require.Equal(s, "stream users, a", s.platform.progress[len(s.platform.progress)-1].Message)
	})
}

// What is used up until tomorrow ends its partition, and no other one.
func TestWorkerGoesOnBesideAnExhaustedBudget(t *testing.T) {
	script, _ := metered("a", "b", "c")
	play(t, script, func(s *stage) {
		s.platform.budget = func(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
			if r.Key[0] == "b" {
				return workerapi.BudgetAnswer{WaitMilliseconds: (20 * time.Hour).Milliseconds()}
			}
			return generous(r)
		}
		from := time.Now()
		require.Nil(s, s.complete().Error)
		require.Less(s, time.Since(from), time.Minute)
		require.Equal(s, []string{"users/a complete", "users/b skipped throttled", "users/c complete"}, s.platform.ends())
		for _, h := range s.platform.headers {
			if h.Failure != nil {
				require.Equal(s, "the calls that the budget of calls (account b) allows are used up; there will be more at 2000-01-01 20:00:00 UTC", h.Failure.Message)
				require.Equal(s, int64(20*time.Hour/time.Second), h.Failure.RetryAfterSeconds)
			}
		}
	})
}

// Tokens go bad: what was not used in time is asked for again, and given back.
func TestWorkerUsesTokensInTime(t *testing.T) {
	script, budget := metered("a")
	script.pages = 1
	script.at = func(ctx context.Context, _ connector.Partition, n int) error {
		for range 2 {
			if _, err := (*budget).Take(ctx, calls("x")); err != nil {
				return err
			}
			time.Sleep(goodFor)
		}
		return nil
	}
	play(t, script, func(s *stage) {
		var asks []workerapi.BudgetRequest
		s.platform.budget = func(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
			asks = append(asks, r)
			return generous(r)
		}
		require.Nil(s, s.complete().Error)
		require.Len(s, asks, 4)
		require.Equal(s, 4, asks[0].Want)
		require.Equal(s, 3, asks[1].Unused)
		require.Equal(s, 1, asks[1].Want, "and less is asked for")
	})
}

// What the provider refuses is told at once, with what it asked for, and the tokens
// in hand are given up.
func TestWorkerTellsWhatTheProviderRefuses(t *testing.T) {
	script, budget := metered("a")
	take := script.at
	refused := false
	script.at = func(ctx context.Context, p connector.Partition, n int) error {
		if err := take(ctx, p, n); err != nil || refused {
			return err
		}
		refused = true
		(*budget).Throttled(ctx, 7*time.Second, calls("a"))
		return &connector.Error{Category: connector.Throttled, Message: "too fast", RetryAfter: 7 * time.Second}
	}
	play(t, script, func(s *stage) {
		var asks []workerapi.BudgetRequest
		s.platform.budget = func(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
			asks = append(asks, r)
			return generous(r)
		}
		require.Nil(s, s.complete().Error)
		require.True(s, asks[1].Throttled)
		require.Equal(s, 7*time.Second, asks[1].RetryAfter())
		require.Zero(s, asks[1].Want)
		require.Equal(s, 3, asks[1].Unused)
		require.Positive(s, asks[2].Want, "the next call asks anew")
		last := asks[len(asks)-1]
		require.True(s, last.Leaves)
		require.False(s, last.Throttled)
	})
}

// Without an answer of the platform there is no call: it is asked again, and in the
// end the run is left to another worker.
func TestWorkerDoesNotCallWithoutLeave(t *testing.T) {
	script, _ := metered("a")
	play(t, script, func(s *stage) {
		down := true
		s.platform.wire = func(call string) fault {
			if call == "budget" && down {
				return unavailable
			}
			return noFault
		}
		s.platform.budget = generous
		stop := s.start("w1")
		time.Sleep(4 * time.Minute)
		require.Zero(s, script.written.Load())
		time.Sleep(3 * time.Minute)
		s.platform.state(func() { down = false })
		<-s.platform.ended
		require.NoError(s, stop())
		require.Equal(s, 2, s.platform.claimed["w1"], "the run went round once")
		require.Equal(s, []string{"users/a complete"}, s.platform.ends())
	})
}

// A scope that the manifest does not declare breaks the contract.
func TestWorkerTakesFromDeclaredScopesOnly(t *testing.T) {
	for name, use := range map[string]connector.Use{
		"scope":  {Scope: "other", Key: []string{"a"}},
		"key":    {Scope: "calls"},
		"weight": {Scope: "calls", Key: []string{"a"}, Calls: 21},
	} {
		t.Run(name, func(t *testing.T) {
			script, budget := metered("a")
			script.at = func(ctx context.Context, _ connector.Partition, _ int) error {
				_, err := (*budget).Take(ctx, use)
				return err
			}
			play(t, script, func(s *stage) {
				s.platform.budget = generous
				s.complete()
				require.Equal(s, []string{"users/a skipped contract_violation"}, s.platform.ends())
			})
		})
	}
}

// Where the provider limits calls under way, this worker has one at a time.
func TestWorkerHasOneCallUnderWay(t *testing.T) {
	script, budget := metered("a")
	script.pages = 1
	under, most := 0, 0
	var mu sync.Mutex
	script.at = func(ctx context.Context, _ connector.Partition, _ int) error {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				release, err := (*budget).Take(ctx, connector.Use{Scope: "exports", Key: []string{"x"}}, calls("x"))
				if err != nil {
					return
				}
				mu.Lock()
				under++
				most = max(most, under)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				under--
				mu.Unlock()
				release()
				release()
			})
		}
		all.Wait()
		return nil
	}
	play(t, script, func(s *stage) {
		s.platform.budget = generous
		from := time.Now()
		require.Nil(s, s.complete().Error)
		require.Equal(s, 1, most)
		require.GreaterOrEqual(s, time.Since(from), 10*time.Second)
	})
}

// Whatever the platform gives and however calls come, each call has a token of its
// own that is still good, and none is used twice.
func TestWorkerMakesNoCallWithoutAToken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		script, budget := metered("a")
		script.pages = 1
		gaps := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, time.Second, 4 * time.Second, 6 * time.Second}), 1, 30).Draw(r, "gaps")
		answers := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 10).Draw(r, "answers")
		goroutines := rapid.IntRange(1, 3).Draw(r, "goroutines")
		made, given := 0, 0
		var mu sync.Mutex
		script.at = func(ctx context.Context, _ connector.Partition, n int) error {
			if n > 0 {
				return nil
			}
			var all sync.WaitGroup
			for range goroutines {
				all.Go(func() {
					for _, gap := range gaps {
						time.Sleep(gap)
						if _, err := (*budget).Take(ctx, calls("x")); err == nil {
							mu.Lock()
							made++
							mu.Unlock()
						}
					}
				})
			}
			all.Wait()
			return nil
		}
		playNow(t, script, func(s *stage) {
			asks, last := 0, 0
			s.platform.budget = func(r workerapi.BudgetRequest) workerapi.BudgetAnswer {
				asks++
				require.LessOrEqual(s, r.Unused, last)
				given, last = given-r.Unused, 0
				n := min(r.Want, answers[asks%len(answers)])
				if n == 0 && asks%3 == 0 {
					n = min(r.Want, 1)
				}
				if n == 0 {
					return workerapi.BudgetAnswer{WaitMilliseconds: 100}
				}
				given, last = given+n, n
				return workerapi.BudgetAnswer{Granted: n, Chunk: int64(asks), GoodForMilliseconds: goodFor.Milliseconds()}
			}
			require.Nil(s, s.complete().Error)
			require.Equal(s, goroutines*len(gaps), made)
			require.LessOrEqual(s, made, given)
		})
	})
}

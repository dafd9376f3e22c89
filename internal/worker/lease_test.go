package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/worker"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// blockAt makes a script wait at a page until it is told to stop; reached is
// closed when it gets there. It waits once.
func blockAt(s *scripted, key string, page int) (reached chan struct{}) {
	reached = make(chan struct{})
	before, blocked := s.at, false
	s.at = func(ctx context.Context, p connector.Partition, n int) error {
		if p.Key == key && n == page && !blocked {
			blocked = true
			close(reached)
			<-ctx.Done()
			return ctx.Err()
		}
		return before(ctx, p, n)
	}
	return reached
}

func TestDrainingHandsTheRunBackForAnotherWorker(t *testing.T) {
	for page := range 4 {
		script := newScripted("a", "b")
		t.Run(fmt.Sprintf("before page %d", page+1), func(t *testing.T) {
			play(t, script, func(s *stage) {
				reached := blockAt(script, "b", page)
				stop := s.start("w1")
				<-reached
				started := time.Now()
				require.NoError(t, stop())
				require.LessOrEqual(t, time.Since(started), 20*time.Second, "the grace time, by the stage's clock")
				require.Equal(t, 1, s.platform.handBacks)
				require.Nil(t, s.platform.finished)

				stop = s.start("w2")
				<-s.platform.ended
				require.NoError(t, stop())
				require.Equal(t, script.all(), s.platform.records)
				require.Equal(t, map[string]int{"w1": 1, "w2": 1}, s.platform.claimed)
				require.Equal(t, []string{"users/a complete", "users/b complete"}, s.platform.ends())
				require.InDelta(t, 1, s.counted("runs_total", "discovery.run", "handed_back"), 0)
			})
		})
	}
}

// A worker that is stopped at the moment at which the platform has made its claim
// gives the run back, although it never hears of it.
func TestAClaimInFlightIsNotLost(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		taken := make(chan struct{})
		s.platform.claimTaken = func() { close(taken) }
		stop := s.start("w1")
		<-taken
		require.NoError(t, stop())
		require.Equal(t, 1, s.platform.abandoned)
		s.platform.claimTaken = nil
		started := time.Now()
		stop = s.start("w2")
		<-s.platform.ended
		require.NoError(t, stop())
		require.Less(t, time.Since(started), leaseFor, "nobody waits for the end of the lease, by the stage's clock")
	})
}

func TestDrainingLetsAShortRunFinish(t *testing.T) {
	script := newScripted("a")
	play(t, script, func(s *stage) {
		reached := make(chan struct{})
		script.at = func(_ context.Context, _ connector.Partition, n int) error {
			if n == 1 {
				close(reached)
				time.Sleep(5 * time.Second) // by the stage's clock: a provider that takes its time
			}
			return nil
		}
		stop := s.start("w1")
		<-reached
		require.NoError(t, stop())
		require.NotNil(t, s.platform.finished)
		require.Equal(t, script.all(), s.platform.records)
		require.Zero(t, s.platform.handBacks)
	})
}

func TestConnectorThatDoesNotStopIsAbandoned(t *testing.T) {
	script := newScripted("a")
	play(t, script, func(s *stage) {
		release, reached := make(chan struct{}), make(chan struct{})
		script.at = func(context.Context, connector.Partition, int) error {
			close(reached)
			<-release
			return errors.New("at last")
		}
		stop := s.start("w1")
		<-reached
		started := time.Now()
		require.ErrorIs(t, stop(), worker.ErrAbandoned)
		require.LessOrEqual(t, time.Since(started), 22*time.Second)
		close(release)
		synctest.Wait()
		require.Zero(t, s.platform.calls["hand-back"]+s.platform.calls["finish"]+s.platform.calls["batches"])
	})
}

func TestIdleWorkerStopsAtOnce(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		s.platform.leaseUntil = time.Now().Add(time.Hour)
		stop := s.start("w1")
		synctest.Wait()
		started := time.Now()
		require.NoError(t, stop())
		require.Zero(t, time.Since(started))
	})
}

func TestCancelledRunIsStoppedAndReported(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		reached := blockAt(s.script, "a", 1)
		stop := s.start("w1")
		<-reached
		s.platform.state(func() { s.platform.cancelled = true })
		started := time.Now()
		<-s.platform.ended
		require.LessOrEqual(t, time.Since(started), 15*time.Second, "one heartbeat")
		require.NoError(t, stop())
		require.True(t, s.platform.finished.Cancelled)
		require.Nil(t, s.platform.finished.Error)
	})
}

// No batch is taken after a cancellation, which the worker learns of by that
// first: it then asks why instead of leaving the run to its lease.
func TestCancellationIsLearntFromARefusedBatch(t *testing.T) {
	script := newScripted("a")
	script.pages = 50
	play(t, script, func(s *stage) {
		script.at = func(_ context.Context, _ connector.Partition, n int) error {
			if n == 10 {
				s.platform.state(func() { s.platform.cancelled = true })
			}
			return nil
		}
		started := time.Now()
		require.True(t, s.complete().Cancelled)
		require.Zero(t, time.Since(started))
		require.Less(t, len(s.platform.digests), 11)
	})
}

func TestStaleWorkerTouchesNothingMore(t *testing.T) {
	for name, key := range map[string]string{"found by a batch": "", "found by a heartbeat": "a"} {
		t.Run(name, func(t *testing.T) {
			script := newScripted("a", "b")
			script.pages = 20
			play(t, script, func(s *stage) {
				steal := func() {
					s.platform.state(func() {
						s.platform.epoch++
						s.platform.leaseID, s.platform.leaseUntil = "another", time.Now().Add(24*time.Hour)
					})
				}
				var reached chan struct{}
				if key != "" {
					reached = blockAt(script, key, 10)
				} else {
					reached = make(chan struct{})
					script.at = func(_ context.Context, p connector.Partition, n int) error {
						if p.Key == "a" && n == 10 {
							steal()
							close(reached)
						}
						return nil
					}
				}
				stop := s.start("w1")
				<-reached
				if key != "" {
					steal()
				}
				time.Sleep(time.Minute) // by the stage's clock
				s.platform.state(func() {
					require.LessOrEqual(t, s.platform.calls["heartbeat"], 1)
					require.LessOrEqual(t, s.platform.calls["batches"], 12)
					require.Zero(t, s.platform.calls["finish"]+s.platform.calls["hand-back"])
					require.Nil(t, s.platform.finished)
				})
				require.InDelta(t, 1, s.counted("runs_total", "discovery.run", "stale"), 0)
				require.NoError(t, stop())
			})
		})
	}
}

func TestLeaseThatCannotBeKeptEndsTheWork(t *testing.T) {
	script := newScripted("a")
	play(t, script, func(s *stage) {
		reached := blockAt(script, "a", 1)
		dead := false
		s.platform.wire = func(string) fault {
			if dead {
				return lostRequest
			}
			return noFault
		}
		stop := s.start("w1")
		<-reached
		s.platform.state(func() { dead = true })
		time.Sleep(leaseFor) // by the stage's clock
		synctest.Wait()
		require.InDelta(t, 1, s.counted("runs_total", "discovery.run", "lost"), 0)
		s.platform.state(func() {
			require.Zero(t, s.platform.calls["finish"]+s.platform.calls["hand-back"]+s.platform.calls["batches"])
			dead = false
		})
		// The platform is back and the lease has ended: the run starts over.
		<-s.platform.ended
		require.NoError(t, stop())
		require.Equal(t, script.all(), s.platform.records)
		require.Equal(t, int64(2), s.platform.epoch)
	})
}

// A platform that is away for less than a lease, as one that crashed and was
// started again, finds its runs going on with the workers that had them.
func TestAPlatformThatComesBackWithinTheLeaseFindsTheRunGoingOn(t *testing.T) {
	script := newScripted("a", "b")
	play(t, script, func(s *stage) {
		var away, back time.Time
		s.platform.wire = func(string) fault {
			if !away.IsZero() && time.Now().Before(back) {
				return lostRequest
			}
			return noFault
		}
		script.at = func(_ context.Context, p connector.Partition, n int) error {
			s.platform.state(func() {
				if p.Key == "b" && n == 0 && away.IsZero() {
					away = time.Now()
					back = away.Add(leaseFor - 10*time.Second)
				}
			})
			return nil
		}
		stop := s.start("w1")
		<-s.platform.ended
		require.NoError(t, stop())
		require.False(t, away.IsZero())
		require.Equal(t, map[string]int{"w1": 1}, s.platform.claimed, "nobody had to claim it again")
		require.Equal(t, script.all(), s.platform.records)
	})
}

func TestHeartbeatsTellProgress(t *testing.T) {
	script := newScripted("a", "b")
	play(t, script, func(s *stage) {
		failOnce(script, "b", 2, 3, &connector.Error{Category: connector.Throttled, Message: "slow", RetryAfter: 40 * time.Second})
		require.Nil(t, s.complete().Error)
		require.GreaterOrEqual(t, len(s.platform.progress), 7)
		require.Contains(t, s.platform.progress, run.Progress{Message: "stream users, b", PartitionsDone: 1, PartitionsAll: 2, Entities: 10})
		last := run.Progress{Message: "stream users, b", PartitionsDone: 2, PartitionsAll: 2, Entities: 12}
		require.Equal(t, last, s.platform.progress[len(s.platform.progress)-1], "a run ends with what it has done")
	})
}

func TestProgressIsToldWithinSeconds(t *testing.T) {
	script := newScripted("a")
	play(t, script, func(s *stage) {
		script.at = func(ctx context.Context, _ connector.Partition, _ int) error {
			time.Sleep(4 * time.Second) // by the stage's clock
			return ctx.Err()
		}
		require.Nil(t, s.complete().Error)
		require.GreaterOrEqual(t, len(s.platform.progress), 3, "pages take four seconds, heartbeats are due every fifteen")
	})
}

func TestDeadlineEndsTheWork(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		s.platform.deadline = time.Minute
		reached := blockAt(s.script, "a", 1)
		stop := s.start("w1")
		<-reached
		time.Sleep(time.Minute) // by the stage's clock
		synctest.Wait()
		require.InDelta(t, 1, s.counted("runs_total", "discovery.run", "deadline_exceeded"), 0)
		s.platform.state(func() { require.Zero(t, s.platform.calls["finish"]+s.platform.calls["hand-back"]) })
		require.NoError(t, stop())
	})
}

func TestConfigurationThatIsGoneAbandonsTheRun(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		s.platform.wire = func(call string) fault {
			if call == "configuration" && s.platform.epoch == 1 {
				return lostAnswer
			}
			return noFault
		}
		require.Nil(t, s.complete().Error)
		require.Equal(t, int64(2), s.platform.epoch, "the next lease may have it again")
		require.Equal(t, int64(1), s.script.opened.Load())
	})
}

func TestTroubleWithClaimsIsLoggedOnce(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		down := true
		s.platform.wire = func(call string) fault {
			if call == "claim" && down {
				return unavailable
			}
			return noFault
		}
		stop := s.start("w1")
		time.Sleep(time.Hour) // by the stage's clock
		s.platform.state(func() {
			require.InDelta(t, 160, s.platform.calls["claim"], 60, "about every 22 seconds")
			down = false
		})
		<-s.platform.ended
		require.NoError(t, stop())
		require.Equal(t, 1, strings.Count(s.written.String(), "no run can be claimed"))
		require.Equal(t, 1, strings.Count(s.written.String(), "can be claimed again"))
	})
}

func TestSeveralWorkersShareTheWork(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		var stops []func() error
		for _, name := range []string{"w1", "w2", "w3"} {
			stops = append(stops, s.start(name))
		}
		<-s.platform.ended
		for _, stop := range stops {
			require.NoError(t, stop())
		}
		require.Len(t, s.platform.claimed, 1)
		require.Equal(t, s.script.all(), s.platform.records)
	})
}

func TestFinishWhoseAnswerIsLostIsOver(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		s.platform.wire = func(call string) fault {
			if call == "finish" && s.platform.calls["finish"] == 1 {
				return failsAfterCommit
			}
			return noFault
		}
		require.Equal(t, &workerapi.Finish{Lease: leaseOf(1), PlanComplete: true}, s.complete())
		require.LessOrEqual(t, s.platform.calls["finish"], 2)
	})
}

// Of two batches on their way the answer of the first is lost, and it is sent again
// when the second is stored already.
func TestTheBatchBehindProvesTheOneBefore(t *testing.T) {
	script := newScripted("a")
	script.pages = 40
	play(t, script, func(s *stage) {
		batches, lost := 0, 0
		s.platform.wire = func(call string) fault {
			if call != "batches" {
				return noFault
			}
			if batches++; batches%3 == 1 {
				lost++
				return lostAnswer
			}
			return noFault
		}
		require.Nil(t, s.complete().Error)
		require.Equal(t, int64(1), s.platform.epoch, "the run was never given up")
		require.Equal(t, []string{"users/a complete"}, s.platform.ends())
		require.Len(t, s.platform.records, script.pages*script.perPage)
		require.Positive(t, lost)
	})
}

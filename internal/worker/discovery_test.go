package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// failOnce makes a script fail the first times it comes to a page.
func failOnce(s *scripted, key string, page, times int, err error) {
	before := s.at
	s.at = func(ctx context.Context, p connector.Partition, n int) error {
		if p.Key == key && n == page && times > 0 {
			times--
			return err
		}
		return before(ctx, p, n)
	}
}

func TestThrottledReadsContinueWhereTheyStopped(t *testing.T) {
	for name, page := range map[string]int{"at the start": 0, "in the middle": 1, "before the last page": 2, "after the last page": 3} {
		t.Run(name, func(t *testing.T) {
			script := newScripted("a", "b")
			failOnce(script, "a", page, 4, &connector.Error{Category: connector.Throttled, Message: "slow down", RetryAfter: time.Minute})
			play(t, script, func(s *stage) {
				started := time.Now()
				require.Nil(t, s.complete().Error)
				require.Equal(t, script.all(), s.platform.records)
				require.Equal(t, []string{"users/a complete", "users/b complete"}, s.platform.ends())
				require.GreaterOrEqual(t, time.Since(started), 4*time.Minute, "never earlier than the provider asked")
				require.GreaterOrEqual(t, s.platform.calls["heartbeat"], 15, "the lease is kept meanwhile")
				require.Equal(t, int64(1), s.platform.epoch)
				require.GreaterOrEqual(t, s.counted("provider_wait_seconds_total", "throttled"), 240.0)
			})
		})
	}
}

func TestPlatformLearnsWhetherThePlanIsComplete(t *testing.T) {
	for name, test := range map[string]struct {
		openEnded bool
		fails     error
		want      bool
	}{
		"complete":                       {want: true},
		"complete, but not wholly read":  {fails: failure(connector.PermissionDenied, "no"), want: true},
		"the connector knows of no end":  {openEnded: true},
		"the provider was never there":   {fails: failure(connector.CredentialInvalid, "no")},
		"open-ended and not wholly read": {openEnded: true, fails: failure(connector.PermissionDenied, "no")},
	} {
		t.Run(name, func(t *testing.T) {
			script := newScripted("a", "b")
			script.openEnded = test.openEnded
			if test.fails != nil {
				script.at = func(context.Context, connector.Partition, int) error { return test.fails }
			}
			play(t, script, func(s *stage) {
				finished := s.complete()
				require.Equal(t, test.want, finished.PlanComplete)
				if test.want {
					require.Len(t, s.platform.ends(), len(script.plan), "each planned partition has an end")
				}
			})
		})
	}
}

func TestProgressRestoresPatience(t *testing.T) {
	script := newScripted("a")
	script.pages = 30
	for page := range script.pages {
		failOnce(script, "a", page, 5, failure(connector.ProviderUnavailable, "down"))
	}
	play(t, script, func(s *stage) {
		require.Nil(t, s.complete().Error)
		require.Equal(t, script.all(), s.platform.records)
	})
}

func TestProviderThatStaysDownIsWaitedForOnce(t *testing.T) {
	script := newScripted("a", "b", "c", "d")
	calls := 0
	script.at = func(_ context.Context, p connector.Partition, n int) error {
		if p.Key == "a" && n < 2 {
			return nil
		}
		calls++
		return failure(connector.NetworkUnreachable, "nobody there")
	}
	play(t, script, func(s *stage) {
		require.Nil(t, s.complete().Error, "what was read is published")
		require.Equal(t, script.records(script.plan[0], 0, 2), s.platform.records)
		require.Equal(t, []string{
			"users/a partial network_unreachable", "users/b skipped network_unreachable", "users/c skipped network_unreachable", "users/d skipped network_unreachable",
		}, s.platform.ends())
		require.LessOrEqual(t, calls, 8+3, "one try for each further partition")
	})
}

func TestProviderThatAsksForTooLongIsNotWaitedFor(t *testing.T) {
	script := newScripted("a")
	failOnce(script, "a", 1, 1, &connector.Error{Category: connector.Throttled, Message: "tomorrow", RetryAfter: 24 * time.Hour})
	play(t, script, func(s *stage) {
		started := time.Now()
		require.Nil(t, s.complete().Error)
		require.Equal(t, []string{"users/a partial throttled"}, s.platform.ends())
		require.Less(t, time.Since(started), time.Minute)
	})
}

func TestForbiddenAddressIsNotTriedAgain(t *testing.T) {
	script := newScripted("a")
	calls := 0
	script.plans = func() error {
		calls++
		return &connector.Error{
			Category: connector.NetworkUnreachable, Message: "the address is not allowed",
			Cause: fmt.Errorf("dial: %w", &egress.BlockedError{Host: "h", Address: netip.MustParseAddr("127.0.0.1"), Reason: egress.ReasonPrivate}),
		}
	}
	play(t, script, func(s *stage) {
		require.Equal(t, connector.NetworkUnreachable, s.complete().Error.Category)
		require.Equal(t, 1, calls)
	})
}

// The connector's client is bound by the egress policy; nothing listens and
// nothing has to: the call is refused before it is made.
func TestConnectorsCallThroughEgress(t *testing.T) {
	script := newScripted("a")
	script.open = func(settings connector.Settings) error {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://169.254.169.254/latest/meta-data", http.NoBody)
		require.NoError(t, err)
		response, err := settings.HTTPClient.Do(request)
		if err == nil {
			response.Body.Close()
		}
		var blocked *egress.BlockedError
		require.ErrorAs(t, err, &blocked)
		return nil
	}
	play(t, script, func(s *stage) { require.Nil(t, s.complete().Error) })
}

func TestFailedPartitionLeavesTheOthersAlone(t *testing.T) {
	for _, category := range []connector.Category{connector.PermissionDenied, connector.ScopeInvalid, connector.Internal, connector.ContractViolation} {
		for page, coverage := range map[int]string{0: "skipped", 1: "partial", 3: "partial"} {
			t.Run(fmt.Sprintf("%s at page %d", category, page), func(t *testing.T) {
				script := newScripted("a", "b", "c")
				failOnce(script, "b", page, 1, &connector.Error{Category: category, Message: "no", Permission: "iam:List", On: "b"})
				play(t, script, func(s *stage) {
					require.Nil(t, s.complete().Error)
					require.Equal(t, []string{"users/a complete", "users/b " + coverage + " " + string(category), "users/c complete"}, s.platform.ends())
					b := script.plan[1]
					require.Subset(t, s.platform.records, script.records(b, 0, page))
					require.Len(t, s.platform.records, 2*6+2*page)
				})
			})
		}
	}
}

func TestLostCredentialsSkipTheRest(t *testing.T) {
	for _, category := range []connector.Category{connector.CredentialInvalid, connector.CredentialExpired, connector.ConsentRequired, connector.TargetMismatch} {
		t.Run(string(category), func(t *testing.T) {
			script := newScripted("a", "b", "c", "d")
			failOnce(script, "b", 2, 1, failure(category, "gone"))
			play(t, script, func(s *stage) {
				require.Nil(t, s.complete().Error, "what was read is published")
				want := string(category)
				require.Equal(t, []string{"users/a complete", "users/b partial " + want, "users/c skipped " + want, "users/d skipped " + want}, s.platform.ends())
				require.Equal(t, int64(5), script.written.Load())
			})
		})
	}
}

func TestPanicFailsItsPartition(t *testing.T) {
	script := newScripted("a", "b")
	script.at = func(_ context.Context, p connector.Partition, n int) error {
		if p.Key == "a" && n == 1 {
			panic("out of cheese, and the key is " + canary)
		}
		return nil
	}
	play(t, script, func(s *stage) {
		require.Nil(t, s.complete().Error)
		require.Equal(t, []string{"users/a partial internal", "users/b complete"}, s.platform.ends())
		for _, h := range s.platform.headers {
			require.NotContains(t, fmt.Sprintf("%+v", h.Failure), "cheese")
		}
		require.Contains(t, s.written.String(), "out of cheese, and the key is [secret]")
		require.Contains(t, s.written.String(), "discovery_test.go", "the stack is in the log")
	})
}

func TestPagesThatBreakTheContractFailTheirPartition(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*connector.Page)
		want   string
	}{
		"undeclared kind":   {func(p *connector.Page) { p.Entities[1].Kind = connector.Resource }, "entity 1"},
		"too many records":  {func(p *connector.Page) { p.Entities = make([]connector.Entity, connector.MaxPageRecords+1) }, "1001 records"},
		"too large a value": {func(p *connector.Page) { p.Entities[0].Attributes = make([]byte, connector.MaxAttributesBytes+1) }, "entity 0"},
		"deep nesting": {func(p *connector.Page) {
			p.Entities[0].Attributes = json.RawMessage(`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`)
		}, "entity 0"},
		"too long a cursor": {func(p *connector.Page) { p.Next = connector.Cursor(strings.Repeat("c", connector.MaxCursorBytes+1)) }, "cursor"},
		// Only the encoder sees this one, after the page was accepted.
		"a name twice": {func(p *connector.Page) { p.Entities[0].Attributes = json.RawMessage(`{"a":1,"a":2}`) }, "entity 0"},
	} {
		for page := range 3 {
			t.Run(fmt.Sprintf("%s on page %d", name, page+1), func(t *testing.T) {
				script := newScripted("a", "b")
				script.change = func(p connector.Partition, n int, made *connector.Page) {
					if p.Key == "a" && n == page {
						c.change(made)
					}
				}
				play(t, script, func(s *stage) {
					require.Nil(t, s.complete().Error)
					require.Len(t, s.platform.ends(), 2)
					require.Contains(t, s.platform.ends()[0], " contract_violation")
					require.Equal(t, "users/b complete", s.platform.ends()[1])
					require.Equal(t, append(script.records(script.plan[0], 0, page), script.records(script.plan[1], 0, 3)...), s.platform.records)
					for _, h := range s.platform.headers {
						if h.Failure != nil {
							require.Contains(t, h.Failure.Message, fmt.Sprintf("stream users, a, page %d: ", page+1))
							require.Contains(t, h.Failure.Message, c.want)
						}
					}
				})
			})
		}
	}
}

func TestPageAfterTheLastBreaksTheContract(t *testing.T) {
	script := newScripted("a")
	script.change = func(_ connector.Partition, n int, page *connector.Page) {
		if n == 1 {
			page.Next = ""
		}
	}
	play(t, script, func(s *stage) {
		require.Nil(t, s.complete().Error)
		require.Equal(t, []string{"users/a partial contract_violation"}, s.platform.ends())
		require.Equal(t, script.records(script.plan[0], 0, 2), s.platform.records)
	})
}

func TestPageThatThePlatformRefusesFailsItsPartition(t *testing.T) {
	for page := range 3 {
		t.Run(fmt.Sprintf("page %d", page+1), func(t *testing.T) {
			script := newScripted("a", "b")
			play(t, script, func(s *stage) {
				refused := recordID(script.plan[0], page, 0)
				s.platform.refuse = func(_ workerapi.Header, p *connector.Page) int {
					if slices.ContainsFunc(p.Entities, func(e connector.Entity) bool { return e.ID == refused }) {
						return http.StatusUnprocessableEntity
					}
					return 0
				}
				require.Nil(t, s.complete().Error)
				require.Contains(t, s.platform.ends()[0], "contract_violation")
				require.Equal(t, "users/b complete", s.platform.ends()[1])
				require.NotContains(t, s.platform.records, refused)
			})
		})
	}
}

func TestPlatformThatRefusesEverythingEndsTheRun(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		s.platform.refuse = func(workerapi.Header, *connector.Page) int { return http.StatusUnprocessableEntity }
		finish := s.complete()
		require.Equal(t, connector.ContractViolation, finish.Error.Category)
		require.Contains(t, finish.Error.Message, "not this one")
	})
}

func TestGapsMakeAPartitionPartial(t *testing.T) {
	script := newScripted("a", "b")
	script.change = func(p connector.Partition, n int, page *connector.Page) {
		if p.Key == "a" && n == 0 {
			page.Gaps = []connector.Error{{Category: connector.PermissionDenied, Message: "bucket with key " + canary, Permission: "s3:Get", On: "bucket"}}
		}
	}
	play(t, script, func(s *stage) {
		require.Nil(t, s.complete().Error)
		require.Equal(t, []string{"users/a partial permission_denied", "users/b complete"}, s.platform.ends())
		require.Equal(t, script.all(), s.platform.records)
	})
}

// A platform that takes nothing holds the connector up after a few pages,
// whatever the size of the run.
func TestPagesThatWaitGoTogether(t *testing.T) {
	script := newScripted("a", "b")
	script.pages = 20
	play(t, script, func(s *stage) {
		s.platform.wire = func(string) fault { return slow }
		require.Nil(t, s.complete().Error)
		require.Equal(t, script.all(), s.platform.records)
		require.Equal(t, []string{"users/a complete", "users/b complete"}, s.platform.ends())
		// The first page goes alone, and the last one, which carries the end.
		require.Less(t, len(s.platform.digests), 2*script.pages)
		require.GreaterOrEqual(t, len(s.platform.digests), 2*script.pages/workerapi.MaxBatchPages)
	})
}

func TestFewPagesAreHeld(t *testing.T) {
	script := newScripted("a")
	script.pages = 100_000
	play(t, script, func(s *stage) {
		s.platform.wire = func(call string) fault {
			if call == "batches" {
				return hangs
			}
			return noFault
		}
		stop := s.start("w1")
		synctest.Wait()
		require.LessOrEqual(t, script.written.Load(), int64(4*workerapi.MaxBatchPages+1), "two batches are sent, one is encoded, one gathered, and a page handed over")
		require.NoError(t, stop())
		require.Equal(t, 1, s.platform.handBacks)
	})
}

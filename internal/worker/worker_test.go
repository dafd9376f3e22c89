package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/worker"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a platform, a connector, and workers between them, under a clock that
// moves only when everybody waits.
type stage struct {
	*testing.T
	platform *fakePlatform
	script   *scripted
	metrics  *prometheus.Registry
	written  bytes.Buffer
	log      *slog.Logger
}

func play(t *testing.T, script *scripted, scene func(s *stage)) {
	t.Helper()
	t.Parallel()
	playNow(t, script, scene)
}

// playNow is play for a test that plays more than once.
func playNow(t *testing.T, script *scripted, scene func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t, platform: newPlatform(t, script.Manifest()), script: script, metrics: prometheus.NewRegistry()}
		s.log = slog.New(slog.NewTextHandler(&s.written, nil))
		scene(s)
		require.Empty(t, s.platform.breaches)
		require.NotContains(t, s.written.String(), canary)
		require.Equal(t, script.opened.Load(), script.closed.Load(), "every session is closed")
	})
}

func (s *stage) config(name string) worker.Config {
	return worker.Config{
		Name: name, DiscoveryURL: "http://discovery.test/", IntegrationsURL: "http://integrations.test", Token: secret.FromString(fleetToken),
		Queues: []string{"discovery"}, Connectors: map[string]connector.Connector{"scripted": s.script},
		HTTP: &http.Client{Transport: s.platform}, Logger: s.log, Metrics: s.metrics,
	}
}

// start runs a worker; stop ends it and returns what Run did.
func (s *stage) start(name string) (stop func() error) {
	w, err := worker.New(s.config(name))
	require.NoError(s, err)
	ctx, cancel := context.WithCancel(s.Context())
	result := make(chan error, 1)
	go func() { result <- w.Run(ctx) }()
	return func() error {
		cancel()
		return <-result
	}
}

// complete runs one worker until the run is finished.
func (s *stage) complete() *workerapi.Finish {
	stop := s.start("w1")
	<-s.platform.ended
	require.NoError(s, stop())
	return s.platform.finished
}

// counted returns the value of a counter with these label values, in order of
// the labels' names.
func (s *stage) counted(name string, labels ...string) float64 {
	families, err := s.metrics.Gather()
	require.NoError(s, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == "gatehouse_worker_"+name && slices.Equal(labels, values) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestDiscoveryIsReadInOrderAndOnce(t *testing.T) {
	script := newScripted("a", "b")
	script.plan = append(script.plan, connector.Partition{Stream: "groups"})
	play(t, script, func(s *stage) {
		require.Equal(t, &workerapi.Finish{Lease: leaseOf(1), PlanComplete: true}, s.complete())
		require.Equal(t, script.all(), s.platform.records)
		require.Equal(t, []string{"users/a complete", "users/b complete", "groups/ complete"}, s.platform.ends())
		require.LessOrEqual(t, len(s.platform.digests), 9, "the end travels with the last page")
		require.InDelta(t, 1, s.counted("runs_total", "discovery.run", "finished"), 0)
		require.InDelta(t, len(s.platform.digests), s.counted("batches_total"), 0)
		require.InDelta(t, 18, s.counted("records_total", "entity"), 0)
	})
}

func TestEmptyPartitionsEndWithAnEmptyBatch(t *testing.T) {
	script := newScripted("a")
	script.pages = 0
	script.plan = append(script.plan, connector.Partition{Stream: "users", Key: "b", Skip: failure(connector.PermissionDenied, "no "+canary)})
	play(t, script, func(s *stage) {
		require.Nil(t, s.complete().Error)
		require.Equal(t, []string{"users/a complete", "users/b skipped permission_denied"}, s.platform.ends())
		require.Equal(t, "no "+secret.Placeholder, s.platform.headers[1].Failure.Message)
	})
}

func TestConnectionTestReportsItsCheck(t *testing.T) {
	script := newScripted()
	play(t, script, func(s *stage) {
		s.platform.operation = operation.ConnectionTest
		script.check = func(context.Context) (connector.CheckResult, error) {
			return connector.CheckResult{
				Target:      connector.Target{ID: "t", Name: "of " + canary, Type: "account"},
				Streams:     []connector.StreamOutlook{{Stream: "users", Coverage: connector.Partial, Missing: []string{"users:List", "as " + canary}}},
				Remediation: []connector.Remediation{{Message: "key " + canary + " is old", Action: "make another"}},
			}, nil
		}
		finish := s.complete()
		require.Nil(t, finish.Error)
		require.Equal(t, connector.Target{ID: "t", Name: "of [secret]", Type: "account"}, finish.Check.Target)
		require.Equal(t, []string{"users:List", "as [secret]"}, finish.Check.Streams[0].Missing)
		require.Equal(t, "key [secret] is old", finish.Check.Remediation[0].Message)
		require.Empty(t, s.platform.digests)
	})
}

func TestTargetsIDAndProgressHoldNoSecret(t *testing.T) {
	t.Run("check", func(t *testing.T) {
		script := newScripted()
		play(t, script, func(s *stage) {
			s.platform.operation = operation.ConnectionTest
			script.check = func(context.Context) (connector.CheckResult, error) {
				return connector.CheckResult{Target: connector.Target{ID: canary, Type: "account"}}, nil
			}
			require.Equal(t, secret.Placeholder, s.complete().Check.Target.ID)
		})
	})
	t.Run("progress", func(t *testing.T) {
		script := newScripted("of " + canary)
		script.at = func(context.Context, connector.Partition, int) error {
			return &connector.Error{Category: connector.Throttled, Message: "slow down", RetryAfter: time.Minute}
		}
		play(t, script, func(s *stage) {
			stop := s.start("w1")
			time.Sleep(time.Minute) // by the stage's clock
			synctest.Wait()
			require.NoError(t, stop())
			require.NotEmpty(t, s.platform.progress)
			require.Equal(t, "stream users, of [secret]", s.platform.progress[0].Message)
		})
	})
}

func TestConnectionTestIsPatientOnlyForALittle(t *testing.T) {
	script := newScripted()
	play(t, script, func(s *stage) {
		s.platform.operation = operation.ConnectionTest
		tries := 0
		script.check = func(context.Context) (connector.CheckResult, error) {
			tries++
			return connector.CheckResult{}, failure(connector.NetworkUnreachable, "nobody there")
		}
		started := time.Now()
		finish := s.complete()
		require.Equal(t, &workerapi.Failure{Category: connector.NetworkUnreachable, Message: "nobody there"}, finish.Error)
		require.Nil(t, finish.Check)
		require.Equal(t, 3, tries)
		require.Less(t, time.Since(started), 30*time.Second, "by the stage's clock")
	})
}

func TestWhatFailsAtOnceFailsTheRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(*scripted)
		want connector.Category
	}{
		"open": {func(s *scripted) {
			s.open = func(connector.Settings) error { return failure(connector.ScopeInvalid, "x") }
		}, connector.ScopeInvalid},
		"open by panic":              {func(s *scripted) { s.open = func(connector.Settings) error { panic(canary) } }, connector.Internal},
		"plan":                       {func(s *scripted) { s.plans = func() error { return failure(connector.CredentialInvalid, "x") } }, connector.CredentialInvalid},
		"plan without an answer":     {func(s *scripted) { s.plans = func() error { return failure(connector.ProviderUnavailable, "x") } }, connector.ProviderUnavailable},
		"plan with an untyped error": {func(s *scripted) { s.plans = func() error { return errors.New(canary) } }, connector.Internal},
		"a stream nobody declared":   {func(s *scripted) { s.plan[0].Stream = "others" }, connector.ContractViolation},
		"a partition twice":          {func(s *scripted) { s.plan = append(s.plan, s.plan[0]) }, connector.ContractViolation},
		"a key that is too long":     {func(s *scripted) { s.plan[0].Key = strings.Repeat("k", connector.MaxKeyBytes+1) }, connector.ContractViolation},
		"streams in the wrong order": {func(s *scripted) {
			s.plan = append([]connector.Partition{{Stream: "groups"}}, s.plan...)
		}, connector.ContractViolation},
		"the first read": {func(s *scripted) {
			s.at = func(context.Context, connector.Partition, int) error {
				return failure(connector.CredentialExpired, "x")
			}
		}, connector.CredentialExpired},
		"a provider that never answers": {func(s *scripted) {
			s.at = func(context.Context, connector.Partition, int) error {
				return failure(connector.NetworkUnreachable, "x")
			}
		}, connector.NetworkUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			script := newScripted("a", "b")
			c.set(script)
			play(t, script, func(s *stage) {
				finish := s.complete()
				require.NotNil(t, finish.Error)
				require.Equal(t, c.want, finish.Error.Category)
				require.Empty(t, s.platform.digests)
				require.InDelta(t, 1, s.counted("runs_total", "discovery.run", "failed"), 0)
			})
		})
	}
}

func TestUnknownWorkFailsWithoutTheConfiguration(t *testing.T) {
	script := newScripted("a")
	play(t, script, func(s *stage) {
		s.platform.manifest.IntegrationID = "another"
		require.Equal(t, connector.Internal, s.complete().Error.Category)
		require.Zero(t, s.platform.calls["configuration"])
	})
}

func TestUnknownOperationFails(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		s.platform.operation = "policy.backup"
		require.Contains(t, s.complete().Error.Message, "policy.backup")
	})
}

func TestConfigurationOfAWorkerIsChecked(t *testing.T) {
	t.Parallel()
	s := &stage{T: t, platform: newPlatform(t, newScripted().Manifest()), script: newScripted(), metrics: prometheus.NewRegistry()}
	for want, change := range map[string]func(*worker.Config){
		"name":         func(c *worker.Config) { c.Name = "" },
		"discovery":    func(c *worker.Config) { c.DiscoveryURL = "discovery.test" },
		"integrations": func(c *worker.Config) { c.IntegrationsURL = "http://me:" + canary + "@host" },
		"token":        func(c *worker.Config) { c.Token = secret.Secret{} },
		"queues":       func(c *worker.Config) { c.Queues = nil },
		"connectors":   func(c *worker.Config) { c.Connectors = nil },
		"hosts of":     func(c *worker.Config) { c.EndpointHosts = []string{"http://x"}; c.Connectors = hosted() },
		"egress":       func(c *worker.Config) { c.Egress.AllowedHosts = []string{"http://x"} },
		"grace":        func(c *worker.Config) { c.Grace = -1 },
		"calls itself": func(c *worker.Config) { c.Connectors = map[string]connector.Connector{"other": s.script} },
	} {
		c := s.config("w")
		change(&c)
		_, err := worker.New(c)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), canary)
	}
	for range 2 {
		_, err := worker.New(s.config("w"))
		require.NoError(t, err, "several workers share a registerer")
	}
	require.NoError(t, s.metrics.Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "other"})))
}

// roundTrips is a wire made of a function.
type roundTrips func(*http.Request) (*http.Response, error)

func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectsAreNotFollowed(t *testing.T) {
	play(t, newScripted("a"), func(s *stage) {
		hosts := make(chan string, 2)
		c := s.config("w1")
		c.HTTP = &http.Client{Transport: roundTrips(func(r *http.Request) (*http.Response, error) {
			select {
			case hosts <- r.URL.Host:
			default:
			}
			return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"http://elsewhere.test/"}}, Body: http.NoBody, Request: r}, nil
		})}
		w, err := worker.New(c)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(s.Context())
		result := make(chan error, 1)
		go func() { result <- w.Run(ctx) }()
		require.Equal(t, "discovery.test", <-hosts)
		require.Equal(t, "discovery.test", <-hosts, "the next call is the next claim")
		cancel()
		require.NoError(t, <-result)
	})
}

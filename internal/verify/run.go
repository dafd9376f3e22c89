package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/process"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// Options say what is verified, and how.
type Options struct {
	// Program needs no manifest: it is asked for it.
	Program process.Program
	// Settings are what it is tried on; nil leaves what needs a provider out.
	Settings *Settings
	// Log takes what the program logs, and Stderr what an own provider prints.
	Log    *slog.Logger
	Stderr io.Writer
}

// Run verifies a program. Its error means that nothing could be verified, such as
// because there is no such program or the provider does not start.
func Run(ctx context.Context, o Options) (Report, error) {
	report := Report{Program: o.Program.Command.Program, Results: []Result{}}
	var err error
	if report.SHA256, err = sandbox.Hash(o.Program.Command.Program); err != nil {
		return report, err
	}
	manifest, isolation, err := process.Describe(ctx, &o.Program, o.Log)
	if errors.Is(err, sandbox.ErrNotIsolated) {
		return report, err
	}
	report.Isolated, report.IsolationReason = isolation.Full(), isolation.Reason
	v := &verification{options: o, report: &report}
	v.options.Program.Described = manifest
	if !v.check(ctx, "protocol", func(context.Context) (string, error) { return "says hello and describes itself", err }) {
		return report, ctx.Err()
	}
	report.IntegrationID, report.Version = manifest.IntegrationID, manifest.Version
	sound := v.check(ctx, "manifest", v.manifest)
	if o.Settings == nil || !sound {
		why := "there are no settings to try it with; name a file with --settings"
		if !sound {
			why = "the manifest is not sound"
		}
		v.skip(why, "check", "plan", "read", "resume", "refusal", "cancel", "permissions", "budget", "throttling")
		return report, ctx.Err()
	}
	address, end, err := o.Settings.startProvider(ctx, o.Stderr)
	if err != nil {
		return report, err
	}
	defer end()
	v.provider = address
	v.tried(ctx)
	return report, ctx.Err()
}

// verification is one run of the checks.
type verification struct {
	options  Options
	provider string
	report   *Report
}

func (v *verification) manifestOf() connector.Manifest { return v.options.Program.Described }

// check does one check and notes it.
func (v *verification) check(ctx context.Context, name string, do func(context.Context) (string, error)) bool {
	if ctx.Err() != nil {
		return false
	}
	detail, err := do(ctx)
	result := Result{Check: name, Outcome: Passed, Detail: detail}
	var why skipped
	switch {
	case errors.As(err, &why):
		result.Outcome, result.Detail = Skipped, string(why)
	case err != nil:
		result.Outcome, result.Detail = Failed, said(err)
	}
	v.report.Results = append(v.report.Results, result)
	return result.Outcome != Failed
}

// skipped is the reason why a check was not done.
type skipped string

// Error says why.
func (s skipped) Error() string { return string(s) }

func (v *verification) skip(why string, names ...string) {
	for _, name := range names {
		v.report.Results = append(v.report.Results, Result{Check: name, Outcome: Skipped, Detail: why})
	}
}

// said is an error as a person reads it.
func said(err error) string {
	var failure *connector.Error
	if errors.As(err, &failure) && strings.HasSuffix(err.Error(), failure.Error()) {
		return strings.TrimSuffix(err.Error(), failure.Error()) + failure.Message + " (" + string(failure.Category) + ")"
	}
	return err.Error()
}

// tried does the checks that need a provider.
func (v *verification) tried(ctx context.Context) {
	v.check(ctx, "check", v.checks)
	plan, whole, ok := connector.Plan{}, map[string]*reading{}, false
	planned := v.check(ctx, "plan", func(ctx context.Context) (detail string, err error) {
		plan, detail, err = v.plans(ctx)
		return detail, err
	})
	if planned {
		ok = v.check(ctx, "read", func(ctx context.Context) (detail string, err error) {
			whole, detail, err = v.reads(ctx, plan)
			return detail, err
		})
	}
	if !ok {
		v.skip("it cannot be read completely", "resume", "refusal", "cancel", "permissions", "budget", "throttling")
		return
	}
	v.check(ctx, "resume", func(ctx context.Context) (string, error) { return v.resumes(ctx, plan, whole) })
	v.check(ctx, "refusal", func(ctx context.Context) (string, error) { return v.refusals(ctx, plan) })
	v.check(ctx, "cancel", func(ctx context.Context) (string, error) { return v.cancels(ctx, plan) })
	v.check(ctx, "permissions", func(ctx context.Context) (string, error) { return v.denials(ctx, plan, whole) })
	v.check(ctx, "budget", v.budgets)
	v.check(ctx, "throttling", func(ctx context.Context) (string, error) { return v.throttles(ctx, plan, whole) })
}

// open starts the program with changes to the configuration. What is returned has to
// be closed.
func (v *verification) open(ctx context.Context, changes map[string]any, budget connector.Budget) (connector.Session, error) {
	s := v.options.Settings
	configuration, err := s.configuration(changes, v.provider)
	if err != nil {
		return nil, err
	}
	// Whoever verifies a program may reach whatever they like; a worker's rules are
	// its operator's.
	policy := egress.Policy{AllowPrivate: true}.WithHosts(v.manifestOf().Hosts, []string{egress.AnyHost})
	transport := egress.NewTransport(policy)
	session, err := v.options.Program.Open(ctx, connector.Settings{
		Configuration: configuration, Scope: scopeOf(s), HTTPClient: &http.Client{Transport: transport}, Budget: budget, Logger: v.options.Log,
	})
	if err != nil {
		transport.CloseIdleConnections()
		return nil, err
	}
	return &opened{Session: session, close: transport.CloseIdleConnections}, nil
}

func scopeOf(s *Settings) json.RawMessage {
	if len(s.Scope) == 0 {
		return nil
	}
	return slices.Clone(s.Scope)
}

// opened is a session with what is closed after it.
type opened struct {
	connector.Session
	close func()
}

// Close closes both.
func (o *opened) Close() error {
	defer o.close()
	return o.Session.Close()
}

// letGo closes a session whose end says nothing more about the check.
func letGo(s connector.Session) { _ = s.Close() }

// restarts is how many processes of a session broke off.
func restarts(s connector.Session) int {
	if o, ok := s.(*opened); ok {
		s = o.Session
	}
	if counting, ok := s.(interface{ Restarts() int }); ok {
		return counting.Restarts()
	}
	return 0
}

func name(p connector.Partition) string {
	if p.Key == "" {
		return p.Stream
	}
	return fmt.Sprintf("%s/%s", p.Stream, p.Key)
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// execution is one run in this worker's hands.
type execution struct {
	worker     *Worker
	log        *slog.Logger
	assignment *workerapi.Assignment
	call       *runCall
	transport  http.RoundTripper
	// hold lasts as long as the run is this worker's; work, inside it, as long
	// as the connector should go on.
	hold  context.Context
	letGo context.CancelCauseFunc
	work  context.Context
	stop  context.CancelCauseFunc

	// planComplete says that the run has read all partitions in scope, or said of
	// each why not.
	planComplete bool

	budgets  *budgets
	progress progress
	redact   redactor
}

// execute does the run's work, says how it ended, and lets the run go.
func (e *execution) execute() {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	defer e.letGo(nil)
	// With the logger of now: the work gets another one once it has secrets to hide.
	log := e.log
	keeping.Go(func() { e.keepLease(log) })
	deadline := time.AfterFunc(time.Duration(e.assignment.DeadlineSeconds)*time.Second, func() { e.stop(errDeadline) })
	defer deadline.Stop()

	e.log.InfoContext(e.hold, "run claimed", slog.Int("attempt", e.assignment.Attempt), slog.Int64("next_batch", e.assignment.NextBatch))
	check, err := e.perform()
	if e.budgets != nil {
		e.budgets.leave(e.hold)
	}
	outcome := e.report(check, err)
	e.worker.metrics.runs.WithLabelValues(e.assignment.OperationType, outcome).Inc()
	e.log.InfoContext(context.WithoutCancel(e.hold), "run let go", slog.String("outcome", outcome))
}

// perform does the work. An error that is a [*connector.Error] is the run's
// result; any other means that the run cannot be continued here.
func (e *execution) perform() (*connector.CheckResult, error) {
	k, ok := e.worker.config.Connectors[e.assignment.IntegrationID]
	if !ok {
		return nil, &connector.Error{Category: connector.Internal, Message: fmt.Sprintf("this worker has no connector for integration %q", e.assignment.IntegrationID)}
	}
	settings, err := e.call.configuration(e.work)
	if err != nil {
		var refused *callError
		if errors.As(err, &refused) && refused.status == http.StatusUnprocessableEntity && refused.detail != "" {
			// The stored credential does not open, or a secret that is kept elsewhere
			// could not be had there.
			return nil, &connector.Error{Category: connector.CredentialInvalid, Message: refused.detail, Cause: fmt.Errorf("%w: %w", errNoCredential, err)}
		}
		if errors.As(err, &refused) && !refused.temporary() && !refused.notOurs() {
			return nil, &connector.Error{Category: connector.Internal, Message: "the platform did not hand out the configuration", Cause: err}
		}
		return nil, fmt.Errorf("fetch the configuration: %w", err)
	}
	defer clear(settings.Configuration)
	if settings.IntegrationID != e.assignment.IntegrationID {
		return nil, &connector.Error{Category: connector.Internal, Message: "the configuration is another integration's than the run"}
	}
	e.hideSecrets(settings)

	e.budgets = newBudgets(e, k.Manifest())
	var session connector.Session
	err = e.guard("open", func() (err error) {
		session, err = k.Open(e.work, connector.Settings{
			Configuration: settings.Configuration, Scope: settings.Scope, HTTPClient: egress.NewClient(e.transport), Budget: e.budgets, Logger: e.log,
			Credentials: e.credentials(k.Manifest()),
		})
		if err == nil && session == nil {
			err = &connector.Error{Category: connector.ContractViolation, Message: "the connector opened no session"}
		}
		return err
	})
	if err != nil {
		return nil, connector.AsError(err)
	}
	defer func() {
		if err := e.guard("close", session.Close); err != nil {
			e.log.WarnContext(e.hold, "the session did not close cleanly", slog.Any("error", err))
		}
	}()

	switch operation.Type(e.assignment.OperationType) {
	case operation.ConnectionTest:
		found, err := e.check(session)
		if err == nil && found.Granted == nil {
			found.Granted = granted(k.Manifest(), found.Streams)
		}
		return found, err
	case operation.DiscoveryRun:
		if err := e.reach(session); err != nil {
			return nil, err
		}
		return nil, e.discover(session, k.Manifest())
	}
	return nil, &connector.Error{Category: connector.Internal, Message: fmt.Sprintf("this worker cannot carry out operation %q", e.assignment.OperationType)}
}

// hideSecrets keeps the configuration's secrets out of everything that is
// logged or reported from here on.
func (e *execution) hideSecrets(settings workerapi.Configuration) {
	entry, err := e.worker.catalog.Get(integration.ID(settings.IntegrationID))
	if err != nil {
		return // the catalog is made of the same connectors, so it has the entry
	}
	e.redact = newRedactor(entry.ConfigurationFields(), settings.Configuration)
	e.redact.learned = new(learned)
	e.log = slog.New(&redactingHandler{next: e.log.Handler(), redact: e.redact})
}

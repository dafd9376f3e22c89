package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// discovery is the reading of one run.
type discovery struct {
	*execution
	session  connector.Session
	manifest connector.Manifest
	out      *pipeline
	patience patience
	// begun says that something of the run has been read, now or earlier; what
	// was read is then published even if the rest fails.
	begun bool
}

// discover reads all partitions of the plan, except those that have ended. When
// it returns nil, each of them has an end, and the platform takes from these what
// was planned.
func (e *execution) discover(session connector.Session, manifest connector.Manifest) error {
	d := &discovery{execution: e, session: session, manifest: manifest, patience: discoveryPatience(), begun: e.assignment.NextBatch > 0}
	plan, err := d.plan()
	if err == nil {
		plan, err = narrow(manifest, plan, e.assignment.Selection)
	}
	if err != nil {
		return err
	}
	e.progress.planned(len(plan.Partitions))
	if d.out, err = newPipeline(e, e.assignment.NextBatch); err != nil {
		return err
	}
	defer d.out.close()
	states := make(map[partitionID]workerapi.Partition, len(e.assignment.Partitions))
	for _, p := range e.assignment.Partitions {
		states[partitionID{p.Stream, p.Key}] = p
	}
	// ended is what ended the reading of everything.
	var ended *connector.Error
	for _, p := range plan.Partitions {
		state := states[partitionID{p.Stream, p.Key}]
		if !state.Ended {
			e.progress.begin(e.redact.text(nameOf(p)))
			if ended, err = d.partition(p, connector.Cursor(state.Cursor), ended); err != nil {
				return err
			}
		}
		e.progress.ended()
	}
	e.planComplete = plan.Complete
	return nil
}

type partitionID struct{ stream, key string }

// plan asks the connector what to read and checks that it may be read.
func (d *discovery) plan() (connector.Plan, error) {
	for {
		var plan connector.Plan
		err := d.guard("plan", func() (err error) {
			plan, err = d.session.Plan(d.work)
			return err
		})
		if err != nil && d.work.Err() != nil {
			return connector.Plan{}, context.Cause(d.work)
		}
		if err == nil {
			d.patience.progressed()
			return plan, validatePlan(d.manifest, plan.Partitions)
		}
		failure := connector.AsError(err)
		if !d.await(&d.patience, failure) {
			return connector.Plan{}, failure
		}
	}
}

// validatePlan checks a plan against the contract.
func validatePlan(m connector.Manifest, plan []connector.Partition) error {
	violation := func(i int, format string, args ...any) error {
		return &connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf("plan, partition %d: ", i) + fmt.Sprintf(format, args...)}
	}
	seen := make(map[partitionID]bool, len(plan))
	last := make(map[string]int, len(m.Streams))
	for i, p := range plan {
		last[p.Stream] = i
	}
	for i, p := range plan {
		stream, ok := m.Stream(p.Stream)
		own := partitionID{p.Stream, p.Key}
		switch {
		case !ok:
			return violation(i, "stream %.64q is not declared", p.Stream)
		case len(p.Key) > connector.MaxKeyBytes:
			return violation(i, "the key is %d bytes long, more than %d", len(p.Key), connector.MaxKeyBytes)
		case seen[own]:
			return violation(i, "stream %q has the same key twice", p.Stream)
		}
		seen[own] = true
		if j := slices.IndexFunc(stream.DependsOn, func(other string) bool { return last[other] > i }); j >= 0 {
			return violation(i, "stream %q comes before %q, on which it depends", p.Stream, stream.DependsOn[j])
		}
	}
	return nil
}

// partition reads one partition, or records that it is not read. lost is what
// ended the reading of everything, before it or with it.
func (d *discovery) partition(p connector.Partition, from connector.Cursor, before *connector.Error) (lost *connector.Error, err error) {
	stream, _ := d.manifest.Stream(p.Stream)
	r := &reading{discovery: d, stream: stream, partition: p, cursor: from, stored: from != ""}
	switch {
	case before != nil:
		return before, r.fail(before)
	case p.Skip != nil:
		return nil, r.fail(p.Skip)
	}
	failure, err := r.read()
	switch {
	case err != nil:
		return nil, err
	case failure == nil:
		return nil, r.complete()
	case !d.begun && (endsEverything(failure.Category) || failure.Retryable()):
		// The provider has not answered once: there is nothing to publish.
		return nil, failure
	case endsEverything(failure.Category):
		return failure, r.fail(failure)
	}
	return nil, r.fail(failure)
}

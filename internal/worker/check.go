package worker

import (
	"context"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// check asks the session what its credentials are good for.
func (e *execution) check(session connector.Session) (*connector.CheckResult, error) {
	patience := testPatience()
	found, err := asked(e, "check", &patience, session.Check)
	if err != nil {
		return nil, err
	}
	return e.safeCheck(found), nil
}

// reach tells the platform what the credentials reach, before anything is read
// with them. What an earlier attempt found does not count: the credentials may
// have been changed since.
func (e *execution) reach(session connector.Session) error {
	patience := discoveryPatience()
	identify := func(ctx context.Context) (connector.Identity, error) {
		found, err := session.Check(ctx)
		return connector.Identity{Target: found.Target, ActsAs: found.ActsAs}, err
	}
	if short, ok := session.(connector.IdentifyingSession); ok {
		identify = short.Identify
	}
	found, err := asked(e, "identify", &patience, identify)
	if err != nil {
		return err
	}
	if found.Target.ID == "" {
		return &connector.Error{Category: connector.ContractViolation, Message: "the connector does not say which organisation the credentials reach, so nothing was read"}
	}
	return e.call.reach(e.work, workerapi.Reach{Target: e.safeTarget(found.Target), ActsAs: e.safeDetail(found.ActsAs)})
}

// asked asks a session something until it answers, within what patience allows.
// Its error is a [*connector.Error], or why the work was stopped.
func asked[T any](e *execution, what string, p *patience, ask func(context.Context) (T, error)) (T, error) {
	for {
		var found T
		err := e.guard(what, func() (err error) {
			found, err = ask(e.work)
			return err
		})
		if err == nil {
			return found, nil
		}
		if e.work.Err() != nil {
			return found, context.Cause(e.work)
		}
		if failure := connector.AsError(err); !e.await(p, failure) {
			return found, failure
		}
	}
}

// granted lists the permissions of the streams that would be read, without those
// that any of them misses, in order of name.
func granted(m connector.Manifest, outlook []connector.StreamOutlook) []string {
	var have, missing []string
	for _, o := range outlook {
		missing = append(missing, o.Missing...)
		stream, declared := m.Stream(o.Stream)
		if !declared || o.Coverage == connector.Skipped {
			continue
		}
		for _, p := range stream.Permissions {
			have = append(have, p.Name)
		}
	}
	slices.Sort(have)
	return slices.DeleteFunc(slices.Compact(have), func(p string) bool { return slices.Contains(missing, p) })
}

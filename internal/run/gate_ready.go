package run

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// blocker is what stands in the way of a start.
type blocker struct {
	why operation.Code
	// detail says in one clause what it is in this case; empty when the reason
	// says all there is.
	detail string
}

// standsInTheWay returns the prerequisite that is missing; nil when none is. An
// error about the input is the request's own fault, which is not recorded.
func (g *Gate) standsInTheWay(ctx context.Context, conn *connection.Connection, op operation.Operation, in operation.Input) (*blocker, error) {
	standing, err := g.Licence.Standing(ctx)
	if err != nil {
		return nil, err
	}
	return missing(standing, g.Catalog, conn, op, in)
}

// Recheck asks of an admission that was granted before, on conn as it is now,
// whether it would be again. If not, why is the reason, and the admission's context
// says more. A selection that the integration does not have any more is
// [operation.ScopeInvalid].
func (a *Admission) Recheck(standing licence.Standing, catalog *integration.Catalog, conn *connection.Connection) (why operation.Code, ok bool, err error) {
	in, err := a.Operation.ReadInput(a.Input)
	var b *blocker
	if err == nil {
		b, err = missing(standing, catalog, conn, a.Operation, in)
	}
	switch {
	case fault.KindOf(err) == fault.Invalid:
		b = &blocker{operation.ScopeInvalid, err.Error()}
	case err != nil:
		return "", false, err
	case b == nil:
		return "", true, nil
	}
	s := surroundings{}
	if err := json.Unmarshal(a.Context, &s); err != nil {
		return "", false, fmt.Errorf("read the context of a run: %w", err)
	}
	s.detail(*b)
	a.Context, err = s.encode()
	return b.why, false, err
}

func missing(standing licence.Standing, catalog *integration.Catalog, conn *connection.Connection, op operation.Operation, in operation.Input) (*blocker, error) {
	if detail, ok := standing.Allows(conn.Integration); !ok {
		return &blocker{operation.IntegrationNotLicensed, detail}, nil
	}
	entry, err := catalog.Get(conn.Integration)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return &blocker{operation.OperationNotSupported, fmt.Sprintf("this deployment has no integration %s any more", conn.Integration)}, nil
	case err != nil:
		return nil, err
	}
	if !slices.Contains(entry.Operations, string(op.Type)) {
		return &blocker{operation.OperationNotSupported, fmt.Sprintf("%s offers %s", conn.Integration, strings.Join(entry.Operations, ", "))}, nil
	}
	if err := knownStreams(entry, in.Streams); err != nil {
		return nil, err
	}
	if why, ok := conn.Ready(op.Type); !ok {
		return &blocker{why: why}, nil
	}
	absent, err := entry.MissingSecrets(conn.Config, conn.SecretFields)
	if err != nil {
		return nil, err
	}
	if len(absent) > 0 {
		return &blocker{operation.CredentialMissing, "nothing is stored as " + strings.Join(absent, ", ")}, nil
	}
	if _, holds := op.Protects.TargetHold(); holds && conn.Target == nil {
		return &blocker{why: operation.TargetUnknown}, nil
	}
	return nil, nil
}

// knownStreams refuses a selection of streams that the integration does not have.
func knownStreams(entry *integration.Integration, streams []string) error {
	known := make([]string, len(entry.Streams))
	for i, s := range entry.Streams {
		known[i] = s.Name
	}
	for _, name := range streams {
		if slices.Contains(known, name) {
			continue
		}
		if near := nearest.Name(name, known); near != "" {
			return fault.InvalidField("input.streams", "%q is no stream of %s; did you mean %s?", name, entry.IntegrationID, near)
		}
		return fault.InvalidField("input.streams", "%q is no stream of %s, which has %s", name, entry.IntegrationID, strings.Join(known, ", "))
	}
	return nil
}

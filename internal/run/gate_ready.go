package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
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
	if detail, ok := standing.Allows(conn.Integration); !ok {
		return &blocker{operation.IntegrationNotLicensed, detail}, nil
	}
	entry, err := g.Catalog.Get(conn.Integration)
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
	missing, err := entry.MissingSecrets(conn.Config, conn.SecretFields)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return &blocker{operation.CredentialMissing, "nothing is stored as " + strings.Join(missing, ", ")}, nil
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

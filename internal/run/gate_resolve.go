package run

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// resolve returns the connection to use: the named one, else the target's default
// for the integration. Without an integration it is the default that offers the
// operation; which of several is for the caller to say. When there is none, missing
// is why.
func (g *Gate) resolve(ctx context.Context, scope id.Scope, op operation.Operation, req StartRequest) (conn *connection.Connection, missing operation.Code, err error) {
	if req.Connection != 0 {
		conn, err = g.named(ctx, scope, req)
		return conn, "", err
	}
	if req.Integration != "" {
		if _, err := g.Catalog.Get(req.Integration); err != nil {
			return nil, "", fault.InvalidField("integration_id", "is no integration of this deployment; GET /v1/integrations lists them")
		}
	}
	defaults, err := g.Connections.Defaults(ctx, scope, req.Target)
	if err != nil {
		return nil, "", err
	}
	if req.Integration != "" {
		defaults = slices.DeleteFunc(defaults, func(c connection.Connection) bool { return c.Integration != req.Integration })
	}
	if len(defaults) == 0 {
		return nil, operation.ConnectionMissing, nil
	}
	if len(defaults) == 1 {
		return &defaults[0], "", nil
	}
	offering := slices.DeleteFunc(slices.Clone(defaults), func(c connection.Connection) bool { return !g.offers(c, op) })
	switch len(offering) {
	case 0:
		return nil, operation.OperationNotSupported, nil
	case 1:
		return &offering[0], "", nil
	}
	names := make([]string, len(offering))
	for i, c := range offering {
		names[i] = string(c.Integration)
	}
	return nil, "", fault.InvalidField("integration_id", "is needed, because the target has several default connections that offer the operation: name one of %s, or a connection_id",
		strings.Join(names, ", "))
}

// named returns the connection that a request names.
func (g *Gate) named(ctx context.Context, scope id.Scope, req StartRequest) (*connection.Connection, error) {
	conn, err := g.Connections.Get(ctx, scope, req.Connection)
	if err != nil {
		return nil, err
	}
	if req.Target != 0 && (conn.Target == nil || conn.Target.ID != req.Target) {
		return nil, fault.InvalidField("target_id", "is not the target of connection %s; leave it out, or leave the connection out", conn.ID)
	}
	if req.Integration != "" && req.Integration != conn.Integration {
		return nil, fault.InvalidField("integration_id", "is not the integration of connection %s, which is %s; leave it out", conn.ID, conn.Integration)
	}
	return &conn, nil
}

func (g *Gate) offers(c connection.Connection, op operation.Operation) bool {
	entry, err := g.Catalog.Get(c.Integration)
	return err == nil && slices.Contains(entry.Operations, string(op.Type))
}

package connection

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Resolver finds secrets that are kept outside of Gatehouse, where the operator
// allows it.
type Resolver interface {
	// Allowed returns an error if the operator did not allow the workspace
	// the reference. It does not look whether there is such a secret, and its
	// text does not say what is allowed.
	Allowed(scope id.Scope, r integration.Reference) error
	// Resolve returns the secret of a reference that is allowed now. A secret
	// that is not there, or cannot be used, is Invalid, one whose store does not
	// answer Unavailable. The public message never holds any of the secret.
	Resolve(ctx context.Context, scope id.Scope, r integration.Reference) (secret.Secret, error)
}

// notAllowed is what a builder is told, whatever there is.
const notAllowed = "refers to a secret that this workspace may not use; the operator of the server allows references with --allow-ref"

// allowed returns an Invalid error that names each reference that the operator
// did not allow.
func (v Vault) allowed(scope id.Scope, c integration.Configuration) error {
	var wrong []fault.Field
	for _, name := range slices.Sorted(maps.Keys(c.References)) {
		if v.References == nil || v.References.Allowed(scope, c.References[name]) != nil {
			wrong = append(wrong, fault.Field{Path: "configuration." + name, Message: notAllowed})
		}
	}
	if len(wrong) > 0 {
		return fault.InvalidFields(wrong...)
	}
	return nil
}

// resolve replaces references by secrets, on the way to a worker. What is
// allowed is asked again: the operator may have thought otherwise since.
func (v Vault) resolve(ctx context.Context, conn Connection, whole json.RawMessage) (json.RawMessage, error) {
	if len(conn.ConfigRefs) == 0 {
		return whole, nil
	}
	fields := slices.Sorted(maps.Keys(conn.ConfigRefs))
	return integration.Resolve(whole, fields, func(field string, r integration.Reference) (string, error) {
		if v.References == nil || v.References.Allowed(conn.Scope, r) != nil {
			return "", fault.New(fault.Invalid, "configuration.%s %s", field, notAllowed)
		}
		found, err := v.References.Resolve(ctx, conn.Scope, r)
		if err != nil {
			why := "cannot be resolved now"
			if f, ok := fault.As(err); ok {
				why = f.Message
			}
			return "", fault.Wrap(fault.KindOf(err), err, "configuration.%s cannot be used: %s", field, why)
		}
		return found.RevealString(), nil
	})
}

package oidc

import (
	"context"
	"errors"

	coreos "github.com/coreos/go-oidc/v3/oidc"
)

// keySet notes in the caller's context that keys could not be fetched: the
// library's verifier makes text of the error.
type keySet struct {
	coreos.KeySet
}

type failureKey struct{}

// failure is what a verification notes beside its error.
type failure struct {
	unreachable bool
}

// VerifySignature verifies by the provider's keys.
func (k keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	var cause *unreachable
	if noted, ok := ctx.Value(failureKey{}).(*failure); ok && errors.As(err, &cause) {
		noted.unreachable = true
	}
	return payload, err
}

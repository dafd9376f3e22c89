package seal

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// checkBinding is what the key of a check is bound to. No stored record has
// this purpose.
func checkBinding(connection int64) Binding {
	return Binding{Purpose: "gatehouse.key_check", Tenant: 1, Workspace: 1, Connection: connection, Version: 1}
}

// Check has a random data key wrapped and unwrapped, and sees to it that the
// same key comes back, and for another binding none. It costs three calls of
// the key service.
//
// Errors: what the wrapper returned, or one that says in which way the wrapper
// does not keep its contract.
func Check(ctx context.Context, wrapper KeyWrapper) error {
	dataKey := make([]byte, DataKeyBytes)
	defer clear(dataKey)
	_, _ = rand.Read(dataKey)
	wrapped, err := wrapper.Wrap(ctx, bytes.Clone(dataKey), checkBinding(1))
	if err != nil {
		return fmt.Errorf("wrap: %w", err)
	}
	if bytes.Contains(wrapped, dataKey) {
		return errors.New("the wrapped key holds the data key unencrypted")
	}
	unwrapped, err := wrapper.Unwrap(ctx, wrapped, wrapper.KeyID(), checkBinding(1))
	if err != nil {
		return fmt.Errorf("unwrap: %w", err)
	}
	defer clear(unwrapped)
	if !bytes.Equal(unwrapped, dataKey) {
		return errors.New("another data key came back than was wrapped")
	}
	other, err := wrapper.Unwrap(ctx, wrapped, wrapper.KeyID(), checkBinding(2))
	clear(other)
	var service *ServiceError
	switch {
	case err == nil:
		return errors.New("a wrapped key opens for another row than it was wrapped for")
	case errors.As(err, &service):
		return fmt.Errorf("unwrap for another row: %w", err)
	}
	return nil
}

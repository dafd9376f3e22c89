package sealtest

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// Binding returns a complete binding.
func Binding() seal.Binding {
	return seal.Binding{Purpose: "connection.credential", Tenant: 1, Workspace: 2, Connection: 3, Version: 4}
}

// DataKey returns a data key that is easily told from others.
func DataKey() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 2) }

// Contract tries a wrapper. flips bounds how many bits of a wrapped key are
// turned over, because each costs a call of the key service; 0 for all of them.
func Contract(t *testing.T, wrapper seal.KeyWrapper, flips int) {
	t.Helper()
	require.NoError(t, seal.Check(t.Context(), wrapper))
	require.LessOrEqual(t, len(wrapper.Name()), 64)
	require.NotEmpty(t, wrapper.Name())
	require.NotEmpty(t, wrapper.KeyID())
	require.LessOrEqual(t, len(wrapper.KeyID()), 2048)

	given := DataKey()
	wrapped, err := wrapper.Wrap(t.Context(), given, Binding())
	require.NoError(t, err)
	require.Equal(t, DataKey(), given, "the data key is the caller's")
	require.False(t, bytes.Contains(wrapped, DataKey()))
	require.LessOrEqual(t, len(wrapped), 8192)
	again, err := wrapper.Wrap(t.Context(), given, Binding())
	require.NoError(t, err)
	require.NotEqual(t, wrapped, again, "no two wrapped keys are alike")
	opened, err := wrapper.Unwrap(t.Context(), wrapped, wrapper.KeyID(), Binding())
	require.NoError(t, err)
	require.Equal(t, DataKey(), opened)

	for _, length := range []int{0, 16, 31, 33} {
		_, err := wrapper.Wrap(t.Context(), make([]byte, length), Binding())
		require.Error(t, err, "only data keys are wrapped")
	}
	otherRows(t, wrapper, wrapped)
	damaged(t, wrapper, wrapped, flips)
	together(t, wrapper)
}

// otherRows opens for every binding that differs in one field.
func otherRows(t *testing.T, wrapper seal.KeyWrapper, wrapped []byte) {
	t.Helper()
	for _, change := range []func(*seal.Binding){
		func(b *seal.Binding) { b.Purpose = "other" },
		func(b *seal.Binding) { b.Tenant++ },
		func(b *seal.Binding) { b.Workspace++ },
		func(b *seal.Binding) { b.Connection++ },
		func(b *seal.Binding) { b.Version++ },
	} {
		other := Binding()
		change(&other)
		opened, err := wrapper.Unwrap(t.Context(), wrapped, wrapper.KeyID(), other)
		require.ErrorIs(t, err, seal.ErrDamaged, "%+v", other)
		require.Nil(t, opened)
	}
	_, err := wrapper.Unwrap(t.Context(), wrapped, wrapper.KeyID()+"x", Binding())
	require.ErrorIs(t, err, seal.ErrKeyMismatch)
}

// damaged opens what was cut, lengthened and changed.
func damaged(t *testing.T, wrapper seal.KeyWrapper, wrapped []byte, flips int) {
	t.Helper()
	refuse := func(changed []byte, how string, at int) {
		opened, err := wrapper.Unwrap(t.Context(), changed, wrapper.KeyID(), Binding())
		require.Error(t, err, "%s at %d", how, at)
		require.Nil(t, opened)
		require.NotContains(t, err.Error(), string(DataKey()))
		// A key service whose ciphertexts name their key may look for a key that
		// it does not have, and not say more than that it may not be used.
		var service *seal.ServiceError
		if !errors.As(err, &service) || service.Problem != seal.Denied {
			require.ErrorIs(t, err, seal.ErrDamaged, "%s at %d", how, at)
		}
	}
	for _, length := range []int{0, 1, 11, 12, 27, 28, len(wrapped) / 2, len(wrapped) - 1} {
		refuse(bytes.Clone(wrapped[:length]), "cut", length)
	}
	refuse(append(bytes.Clone(wrapped), 0), "lengthened", len(wrapped))
	refuse(make([]byte, 9000), "too long", 9000)
	step := 1
	if flips > 0 {
		step = max(1, len(wrapped)*8/flips)
	}
	for bit := 0; bit < len(wrapped)*8; bit += step {
		changed := bytes.Clone(wrapped)
		changed[bit/8] ^= 1 << (bit % 8)
		refuse(changed, "bit turned over", bit)
	}
}

// together uses a wrapper from many goroutines.
func together(t *testing.T, wrapper seal.KeyWrapper) {
	t.Helper()
	const users = 8
	errs := make([]error, users)
	var group sync.WaitGroup
	for i := range users {
		group.Go(func() {
			binding := Binding()
			binding.Connection += int64(i)
			wrapped, err := wrapper.Wrap(t.Context(), DataKey(), binding)
			if err != nil {
				errs[i] = err
				return
			}
			opened, err := wrapper.Unwrap(t.Context(), wrapped, wrapper.KeyID(), binding)
			if err == nil && !bytes.Equal(opened, DataKey()) {
				err = errors.New("another data key came back")
			}
			errs[i] = err
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
}

// Problem demands that an error is a key service's, of one kind, that says
// nothing which only the service should know.
func Problem(t *testing.T, err error, want seal.Problem, says string) {
	t.Helper()
	var service *seal.ServiceError
	require.ErrorAs(t, err, &service)
	require.Equal(t, want, service.Problem, err.Error())
	require.ErrorContains(t, err, says)
	require.NotContains(t, err.Error(), string(DataKey()))
	require.Equal(t, want == seal.Unreachable, seal.Unavailable(err))
}

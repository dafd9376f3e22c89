package seal_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

func drawBinding(t *rapid.T) seal.Binding {
	id := rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(1, math.MaxInt64))
	return seal.Binding{
		Purpose:    rapid.SampledFrom([]string{"a", "aa", "connection.credential", strings.Repeat("p", 255)}).Draw(t, "purpose"),
		Tenant:     id.Draw(t, "tenant"),
		Workspace:  id.Draw(t, "workspace"),
		Connection: id.Draw(t, "connection"),
		Version:    id.Draw(t, "version"),
	}
}

func TestOpenReversesSeal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		binding := drawBinding(rt)
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(rt, "plaintext")
		version := rapid.StringMatching(`[0-9a-z.]{1,64}`).Draw(rt, "schema version")
		given := bytes.Clone(plaintext)
		sealed, err := b.sealer.Seal(t.Context(), binding, version, given)
		require.NoError(rt, err)
		require.Equal(rt, plaintext, given, "the caller's plaintext is left alone")
		require.Equal(rt, version, sealed.SchemaVersion)
		opened, err := b.opener.Open(t.Context(), binding, sealed)
		require.NoError(rt, err)
		require.True(rt, bytes.Equal(plaintext, opened))

		other := drawBinding(rt)
		if other != binding {
			_, err = b.opener.Open(t.Context(), other, sealed)
			require.ErrorIs(rt, err, seal.ErrDamaged)
		}
	})
}

func TestEveryBindingFieldCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sealed := mustSeal(t, b.sealer)
	for name, change := range map[string]func(*seal.Binding){
		"purpose":    func(b *seal.Binding) { b.Purpose += "x" },
		"tenant":     func(b *seal.Binding) { b.Tenant++ },
		"workspace":  func(b *seal.Binding) { b.Workspace++ },
		"connection": func(b *seal.Binding) { b.Connection++ },
		"version":    func(b *seal.Binding) { b.Version++ },
		"swapped":    func(b *seal.Binding) { b.Workspace, b.Connection = b.Connection, b.Workspace },
	} {
		binding := testBinding()
		change(&binding)
		_, err := b.opener.Open(t.Context(), binding, sealed)
		require.ErrorIs(t, err, seal.ErrDamaged, name)
	}
}

// A wrapper that ignores the binding, as some libraries do, changes nothing:
// the ciphertext itself is bound.
func TestBindingHoldsWithoutTheWrappersHelp(t *testing.T) {
	t.Parallel()
	wrapper := newWatchedWrapper("forgetful")
	opener, err := seal.NewOpener(wrapper)
	require.NoError(t, err)
	sealed := mustSeal(t, seal.NewSealer(wrapper))
	binding := testBinding()
	binding.Workspace++
	_, err = opener.Open(t.Context(), binding, sealed)
	require.ErrorIs(t, err, seal.ErrDamaged)
}

func TestColumnsOfTwoRowsCannotBeMixed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := mustSeal(t, b.sealer), mustSeal(t, b.sealer)
	require.NotEqual(t, first.Ciphertext, second.Ciphertext, "equal plaintexts must not show")
	for name, mix := range map[string]func(*seal.Sealed){
		"wrapped key": func(s *seal.Sealed) { s.WrappedKey = second.WrappedKey },
		"nonce":       func(s *seal.Sealed) { s.Nonce = second.Nonce },
		"ciphertext":  func(s *seal.Sealed) { s.Ciphertext = second.Ciphertext },
	} {
		mixed := clone(first)
		mix(&mixed)
		_, err := b.opener.Open(t.Context(), testBinding(), mixed)
		require.ErrorIs(t, err, seal.ErrDamaged, name)
	}
}

func TestEveryBitFlipFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sealed := mustSeal(t, b.sealer)
	text := func(field func(*seal.Sealed) *string) func(*seal.Sealed, int) {
		return func(s *seal.Sealed, bit int) {
			flipped := []byte(*field(s))
			flipped[bit/8] ^= 1 << (bit % 8)
			*field(s) = string(flipped)
		}
	}
	data := func(field func(*seal.Sealed) []byte) func(*seal.Sealed, int) {
		return func(s *seal.Sealed, bit int) { field(s)[bit/8] ^= 1 << (bit % 8) }
	}
	for name, field := range map[string]struct {
		bits int
		flip func(*seal.Sealed, int)
	}{
		"algorithm":      {8 * len(sealed.Algorithm), text(func(s *seal.Sealed) *string { return &s.Algorithm })},
		"wrapper":        {8 * len(sealed.Wrapper), text(func(s *seal.Sealed) *string { return &s.Wrapper })},
		"key id":         {8 * len(sealed.KeyID), text(func(s *seal.Sealed) *string { return &s.KeyID })},
		"wrapped key":    {8 * len(sealed.WrappedKey), data(func(s *seal.Sealed) []byte { return s.WrappedKey })},
		"nonce":          {8 * len(sealed.Nonce), data(func(s *seal.Sealed) []byte { return s.Nonce })},
		"ciphertext":     {8 * len(sealed.Ciphertext), data(func(s *seal.Sealed) []byte { return s.Ciphertext })},
		"schema version": {8 * len(sealed.SchemaVersion), text(func(s *seal.Sealed) *string { return &s.SchemaVersion })},
	} {
		for bit := range field.bits {
			flipped := clone(sealed)
			field.flip(&flipped, bit)
			opened, err := b.opener.Open(t.Context(), testBinding(), flipped)
			require.Error(t, err, "%s bit %d", name, bit)
			require.Nil(t, opened)
			require.NotContains(t, err.Error(), canary)
		}
	}
	opened, err := b.opener.Open(t.Context(), testBinding(), sealed)
	require.NoError(t, err)
	require.Equal(t, canary, string(opened))
}

func TestEveryOtherLengthFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sealed := mustSeal(t, b.sealer)
	for name, field := range map[string]func(*seal.Sealed) *[]byte{
		"wrapped key": func(s *seal.Sealed) *[]byte { return &s.WrappedKey },
		"nonce":       func(s *seal.Sealed) *[]byte { return &s.Nonce },
		"ciphertext":  func(s *seal.Sealed) *[]byte { return &s.Ciphertext },
	} {
		length := len(*field(&sealed))
		for _, cut := range append([]int{length + 1, 2 * length, 2 << 20}, countTo(length)...) {
			changed := clone(sealed)
			value := make([]byte, cut)
			copy(value, *field(&sealed))
			*field(&changed) = value
			_, err := b.opener.Open(t.Context(), testBinding(), changed)
			require.ErrorIs(t, err, seal.ErrDamaged, "%s with %d bytes", name, cut)
		}
	}
	_, err := b.opener.Open(t.Context(), testBinding(), seal.Sealed{})
	require.ErrorIs(t, err, seal.ErrDamaged)
}

func countTo(n int) []int {
	var lengths []int
	for i := range n {
		lengths = append(lengths, i)
	}
	return lengths
}

func TestIncompleteBindingIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sealed := mustSeal(t, b.sealer)
	for name, change := range map[string]func(*seal.Binding){
		"no purpose":       func(b *seal.Binding) { b.Purpose = "" },
		"long purpose":     func(b *seal.Binding) { b.Purpose = strings.Repeat("p", 256) },
		"no tenant":        func(b *seal.Binding) { b.Tenant = 0 },
		"no workspace":     func(b *seal.Binding) { b.Workspace = 0 },
		"no connection":    func(b *seal.Binding) { b.Connection = 0 },
		"negative version": func(b *seal.Binding) { b.Version = -1 },
	} {
		binding := testBinding()
		change(&binding)
		_, err := b.sealer.Seal(t.Context(), binding, schemaVersion, []byte(canary))
		require.ErrorIs(t, err, seal.ErrBinding, name)
		_, err = b.opener.Open(t.Context(), binding, sealed)
		require.ErrorIs(t, err, seal.ErrBinding, name)
	}
}

func TestPlaintextLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	largest := make([]byte, seal.MaxPlaintextBytes)
	sealed, err := b.sealer.Seal(t.Context(), testBinding(), schemaVersion, largest)
	require.NoError(t, err)
	opened, err := b.opener.Open(t.Context(), testBinding(), sealed)
	require.NoError(t, err)
	require.True(t, bytes.Equal(largest, opened))
	_, err = b.sealer.Seal(t.Context(), testBinding(), schemaVersion, append(largest, 0))
	require.ErrorIs(t, err, seal.ErrTooLong)
}

func TestOpenerUsesTheWrapperThatTheRecordNames(t *testing.T) {
	t.Parallel()
	b, service := setup(t), newWatchedWrapper("service")
	both, err := seal.NewOpener(b.local, service)
	require.NoError(t, err)
	other := mustSeal(t, seal.NewSealer(service))
	for _, record := range []seal.Sealed{mustSeal(t, b.sealer), other} {
		opened, err := both.Open(t.Context(), testBinding(), record)
		require.NoError(t, err)
		require.Equal(t, canary, string(opened))
	}
	_, err = b.opener.Open(t.Context(), testBinding(), other)
	require.ErrorIs(t, err, seal.ErrUnknownWrapper)
}

func TestSchemaVersionHasToBeNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, version := range []string{"", strings.Repeat("1", 65)} {
		_, err := b.sealer.Seal(t.Context(), testBinding(), version, []byte(canary))
		require.ErrorIs(t, err, seal.ErrBinding)
	}
}

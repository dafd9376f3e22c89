package seal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

func TestDataKeysAreFreshAndCleared(t *testing.T) {
	t.Parallel()
	wrapper := newWatchedWrapper("service")
	var keys []string
	invert := wrapper.wrap
	wrapper.wrap = func(dataKey []byte) ([]byte, error) {
		keys = append(keys, string(dataKey))
		return invert(dataKey)
	}
	opener, err := seal.NewOpener(wrapper)
	require.NoError(t, err)
	sealer := seal.NewSealer(wrapper)
	first, second := mustSeal(t, sealer), mustSeal(t, sealer)
	_, err = opener.Open(t.Context(), testBinding(), first)
	require.NoError(t, err)
	_, err = opener.Open(t.Context(), testBinding(), second)
	require.NoError(t, err)

	require.NotEqual(t, keys[0], keys[1])
	require.Len(t, wrapper.seen, 4)
	for _, key := range wrapper.seen {
		require.Equal(t, make([]byte, seal.DataKeyBytes), key, "a data key was left in memory")
	}
}

func TestDataKeyIsClearedOnErrors(t *testing.T) {
	t.Parallel()
	wrapper := newWatchedWrapper("service")
	opener, err := seal.NewOpener(wrapper)
	require.NoError(t, err)
	sealed := mustSeal(t, seal.NewSealer(wrapper))
	wrapper.seen = nil

	wrapper.wrap = func([]byte) ([]byte, error) { return nil, errService }
	_, err = seal.NewSealer(wrapper).Seal(t.Context(), testBinding(), schemaVersion, []byte(canary))
	require.ErrorIs(t, err, errService)
	wrapper.unwrap = func([]byte) ([]byte, error) { return []byte("half a key"), errService }
	_, err = opener.Open(t.Context(), testBinding(), sealed)
	require.ErrorIs(t, err, errService)
	wrapper.unwrap = func([]byte) ([]byte, error) { return []byte("short key"), nil }
	_, err = opener.Open(t.Context(), testBinding(), sealed)
	require.ErrorIs(t, err, seal.ErrDamaged)

	require.Len(t, wrapper.seen, 3)
	for _, key := range wrapper.seen {
		require.Equal(t, make([]byte, len(key)), key)
	}
}

func TestWrapperThatBreaksItsContractStoresNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*watchedWrapper){
		"no wrapped key":       func(w *watchedWrapper) { w.wrap = func([]byte) ([]byte, error) { return nil, nil } },
		"too long wrapped key": func(w *watchedWrapper) { w.wrap = func([]byte) ([]byte, error) { return make([]byte, 8193), nil } },
		"no key id":            func(w *watchedWrapper) { w.keyID = "" },
		"too long key id":      func(w *watchedWrapper) { w.keyID = strings.Repeat("k", 2049) },
		"no name":              func(w *watchedWrapper) { w.name = "" },
	} {
		wrapper := newWatchedWrapper("service")
		change(wrapper)
		_, err := seal.NewSealer(wrapper).Seal(t.Context(), testBinding(), schemaVersion, []byte(canary))
		require.ErrorContains(t, err, "broke its contract", name)
	}
}

func TestOpenerRefusesAKeyTwice(t *testing.T) {
	t.Parallel()
	_, err := seal.NewOpener(newWatchedWrapper("a"), newWatchedWrapper("b"), newWatchedWrapper("a"))
	require.ErrorContains(t, err, "the a key a:1 is given twice")
}

func TestOpenerOpensWithTheKeyThatTheRecordNames(t *testing.T) {
	t.Parallel()
	first, second := setup(t), setup(t)
	opener, err := seal.NewOpener(first.local, second.local)
	require.NoError(t, err)
	require.True(t, opener.Opens(seal.KeyOf(first.local)))
	require.False(t, opener.Opens(seal.Key{Wrapper: "local", ID: "local:0"}))
	for _, b := range []bundle{first, second} {
		opened, err := opener.Open(t.Context(), testBinding(), mustSeal(t, b.sealer))
		require.NoError(t, err)
		require.Equal(t, canary, string(opened))
	}
}

package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
)

func TestCreatedKeyFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	info, err := os.Stat(b.path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o400), info.Mode().Perm())
	key, err := os.ReadFile(b.path)
	require.NoError(t, err)
	require.Len(t, key, 32)
	sum := sha256.Sum256(append([]byte("gatehouse key id"), key...))
	require.Equal(t, "local:"+hex.EncodeToString(sum[:8]), b.local.KeyID())
	require.False(t, bytes.Contains(key, b.local.CheckValue()))

	entries, err := os.ReadDir(filepath.Dir(b.path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file stays behind")

	loaded, err := seal.LoadLocal(b.path)
	require.NoError(t, err)
	require.Equal(t, b.local.KeyID(), loaded.KeyID())
	require.NoError(t, loaded.Check(b.local.CheckValue()))
	opener, err := seal.NewOpener(loaded)
	require.NoError(t, err)
	opened, err := opener.Open(t.Context(), testBinding(), mustSeal(t, b.sealer))
	require.NoError(t, err)
	require.Equal(t, canary, string(opened))
}

func TestCreateNeverOverwrites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, err := os.ReadFile(b.path)
	require.NoError(t, err)
	_, err = seal.CreateLocal(b.path)
	require.ErrorIs(t, err, fs.ErrExist)
	after, err := os.ReadFile(b.path)
	require.NoError(t, err)
	require.Equal(t, before, after)
	entries, err := os.ReadDir(filepath.Dir(b.path))
	require.NoError(t, err)
	require.Len(t, entries, 1)

	_, err = seal.CreateLocal(filepath.Join(t.TempDir(), "missing", "local.key"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLoadRefusesUnfitFiles(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	key := bytes.Repeat([]byte{0xA5}, 32)
	for name, file := range map[string]struct {
		content []byte
		mode    os.FileMode
		problem string
	}{
		"writable":       {key, 0o600, "chmod 0400"},
		"group readable": {key, 0o440, "chmod 0400"},
		"world readable": {key, 0o404, "chmod 0400"},
		"empty":          {nil, 0o400, "size is not 32 bytes"},
		"short":          {key[:31], 0o400, "size is not 32 bytes"},
		"long":           {append(bytes.Clone(key), '\n'), 0o400, "size is not 32 bytes"},
	} {
		path := filepath.Join(directory, name)
		writeKeyFile(t, path, file.content, file.mode)
		_, err := seal.LoadLocal(path)
		var keyFileError *seal.KeyFileError
		require.ErrorAs(t, err, &keyFileError, name)
		require.Equal(t, path, keyFileError.Path)
		require.ErrorContains(t, err, file.problem)

		_, err = seal.LoadOrCreate(path, false)
		require.ErrorAs(t, err, &keyFileError, "an unfit file is not replaced")
	}
	var keyFileError *seal.KeyFileError
	_, err := seal.LoadLocal(directory)
	require.ErrorAs(t, err, &keyFileError)
	_, err = seal.LoadLocal(filepath.Join(directory, "absent"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLoadOrCreate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "local.key")
	_, err := seal.LoadOrCreate(path, true)
	var missing *seal.MissingKeyError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, path, missing.Path)
	require.ErrorContains(t, err, "restore the file from a backup")
	require.NoFileExists(t, path)

	created, err := seal.LoadOrCreate(path, false)
	require.NoError(t, err)
	for _, existingCiphertext := range []bool{false, true} {
		loaded, err := seal.LoadOrCreate(path, existingCiphertext)
		require.NoError(t, err)
		require.Equal(t, created.KeyID(), loaded.KeyID())
	}
}

func TestProcessesThatStartTogetherShareOneKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "local.key")
	ids, errs := make([]string, 8), make([]error, 8)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			local, err := seal.LoadOrCreate(path, false)
			if errs[i] = err; err == nil {
				ids[i] = local.KeyID()
			}
		})
	}
	group.Wait()
	for i := range ids {
		require.NoError(t, errs[i])
		require.Equal(t, ids[0], ids[i])
	}
}

func TestAnotherKeyIsNoticed(t *testing.T) {
	t.Parallel()
	mine, other := setup(t), setup(t)
	require.ErrorIs(t, other.local.Check(mine.local.CheckValue()), seal.ErrKeyMismatch)
	require.ErrorIs(t, mine.local.Check(nil), seal.ErrKeyMismatch)
	require.ErrorIs(t, mine.local.Check(mine.local.CheckValue()[:31]), seal.ErrKeyMismatch)

	sealed := mustSeal(t, mine.sealer)
	_, err := other.opener.Open(t.Context(), testBinding(), sealed)
	require.ErrorIs(t, err, seal.ErrKeyMismatch)
	sealed.KeyID = other.local.KeyID()
	_, err = other.opener.Open(t.Context(), testBinding(), sealed)
	require.ErrorIs(t, err, seal.ErrDamaged, "a forged key id does not help")
}

func TestLocalWrapsNothingButDataKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, length := range []int{0, 16, 31, 33} {
		_, err := b.local.Wrap(t.Context(), make([]byte, length), testBinding())
		require.Error(t, err)
	}
}

func TestLocalKeepsTheContract(t *testing.T) {
	t.Parallel()
	sealtest.Contract(t, setup(t).local, 0)
}

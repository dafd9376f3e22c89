package auditlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
)

// A tree that keeps its edge alone, saved and loaded at any moment, is the tree
// that keeps everything.
func TestTreeIsTheOneOfTheChecksumDatabase(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(rt, "leaves")
		tree := &auditlog.Tree{}
		var all []tlog.Hash
		stored := map[int64][]tlog.Hash{}
		for i := range n {
			data := []byte{byte(i), byte(i >> 8)}
			reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
				hashes := make([]tlog.Hash, len(indexes))
				for k, index := range indexes {
					hashes[k] = all[index]
				}
				return hashes, nil
			})
			want, err := tlog.StoredHashes(int64(i), data, reader)
			require.NoError(rt, err)
			all = append(all, want...)
			got, err := tree.Append(tlog.RecordHash(data))
			require.NoError(rt, err)
			require.Equal(rt, want, got)
			stored[int64(i)] = got
			root, err := tlog.TreeHash(int64(i)+1, reader)
			require.NoError(rt, err)
			if rapid.Bool().Draw(rt, "reload") {
				tree, err = auditlog.LoadTree(int64(i)+1, stored)
				require.NoError(rt, err)
			}
			computed, err := tree.Root()
			require.NoError(rt, err)
			require.Equal(rt, root, computed)
		}
		require.Equal(rt, int64(n), tree.Size())
	})
}

func TestTreeIsNotLoadedFromPieces(t *testing.T) {
	t.Parallel()
	_, err := auditlog.LoadTree(3, map[int64][]tlog.Hash{2: {{1}}})
	require.ErrorContains(t, err, "entry 1 of the log is missing")
	_, err = auditlog.LoadTree(2, map[int64][]tlog.Hash{1: {{1}}})
	require.ErrorContains(t, err, "entry 1 of the log is missing or lacks hashes")
}

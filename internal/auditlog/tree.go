package auditlog

import (
	"fmt"
	"maps"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is a Merkle tree that is appended to and never read back: it keeps the
// hashes at its right edge, at most 63 of them, whatever its size. The zero value
// is the empty tree.
type Tree struct {
	size int64
	// edge holds the hashes of the complete subtrees that the tree consists
	// of, by their stored index.
	edge map[int64]tlog.Hash
}

// Size is how many leaves the tree has.
func (t *Tree) Size() int64 { return t.size }

// EdgeEntries returns the entries whose stored hashes [LoadTree] needs for a tree
// of this size. An entry's stored hashes are those of the subtrees it completes.
func EdgeEntries(size int64) []int64 {
	var entries []int64
	for _, subtree := range edgeOf(size) {
		entries = append(entries, subtree.entry())
	}
	return entries
}

// LoadTree makes a tree of that size from the stored hashes of its [EdgeEntries].
func LoadTree(size int64, stored map[int64][]tlog.Hash) (*Tree, error) {
	t := &Tree{size: size, edge: map[int64]tlog.Hash{}}
	for _, subtree := range edgeOf(size) {
		hashes := stored[subtree.entry()]
		if len(hashes) <= subtree.level {
			return nil, fmt.Errorf("entry %d of the log is missing or lacks hashes; the log was tampered with, see gatehouse audit verify", subtree.entry())
		}
		t.edge[subtree.index()] = hashes[subtree.level]
	}
	return t, nil
}

// Append adds a leaf and returns the hashes to store with its entry: the leaf's
// and those of the subtrees that it completes.
func (t *Tree) Append(leaf tlog.Hash) ([]tlog.Hash, error) {
	completed, err := tlog.StoredHashesForRecordHash(t.size, leaf, tlog.HashReaderFunc(t.read))
	if err != nil {
		return nil, fmt.Errorf("append entry %d: %w", t.size, err)
	}
	known := maps.Clone(t.edge)
	if known == nil {
		known = map[int64]tlog.Hash{}
	}
	for level, h := range completed {
		known[subtree{level: level, n: t.size >> level}.index()] = h
	}
	t.size++
	t.edge = map[int64]tlog.Hash{}
	for _, s := range edgeOf(t.size) {
		t.edge[s.index()] = known[s.index()]
	}
	return completed, nil
}

// Root returns the hash of the whole tree.
func (t *Tree) Root() (tlog.Hash, error) {
	root, err := tlog.TreeHash(t.size, tlog.HashReaderFunc(t.read))
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("hash the tree of %d entries: %w", t.size, err)
	}
	return root, nil
}

func (t *Tree) read(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := t.edge[index]
		if !ok {
			return nil, fmt.Errorf("hash %d is not at the edge of the tree", index)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// subtree is the nth complete subtree of 2^level leaves.
type subtree struct {
	level int
	n     int64
}

func (s subtree) index() int64 { return tlog.StoredHashIndex(s.level, s.n) }

// entry is the leaf that completes the subtree.
func (s subtree) entry() int64 { return (s.n+1)<<s.level - 1 }

// edgeOf are the complete subtrees that a tree of this size consists of, one for
// each bit of the size.
func edgeOf(size int64) []subtree {
	var edge []subtree
	for level := 0; size>>level > 0; level++ {
		if size>>level&1 == 1 {
			edge = append(edge, subtree{level: level, n: size>>level - 1})
		}
	}
	return edge
}

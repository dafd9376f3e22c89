package auditlog

import (
	"iter"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// bits is a set of event ids, 512 bytes for each 4096 that lie together.
type bits map[int64]*[64]uint64

func (b bits) at(e id.AuditEvent) (block *[64]uint64, word int, mask uint64) {
	return b[int64(e)>>12], int(e>>6) & 63, 1 << (uint64(e) & 63)
}

// set adds an id and reports whether it was not there.
func (b bits) set(e id.AuditEvent) bool {
	block, word, mask := b.at(e)
	if block == nil {
		block = new([64]uint64)
		b[int64(e)>>12] = block
	}
	added := block[word]&mask == 0
	block[word] |= mask
	return added
}

func (b bits) has(e id.AuditEvent) bool {
	block, word, mask := b.at(e)
	return block != nil && block[word]&mask != 0
}

// clear takes an id out and reports whether it was there.
func (b bits) clear(e id.AuditEvent) bool {
	if !b.has(e) {
		return false
	}
	block, word, mask := b.at(e)
	block[word] &^= mask
	return true
}

// all are the ids in ascending order.
func (b bits) all() iter.Seq[id.AuditEvent] {
	return func(yield func(id.AuditEvent) bool) {
		for _, number := range slices.Sorted(maps.Keys(b)) {
			for i := range int64(4096) {
				if e := id.AuditEvent(number<<12 + i); b.has(e) && !yield(e) {
					return
				}
			}
		}
	}
}

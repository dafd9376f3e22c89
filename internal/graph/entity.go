package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// EntityID names an entity: 128 bits of SHA-256 over workspace, connection, kind
// and provider id. It is computed and never looked up, and it is the same in
// every run. Names can be chosen by an attacker, so no weaker hash will do.
type EntityID [16]byte

// entityPrefix starts the public form of an entity id.
const entityPrefix = "ent_"

// NewEntityID computes the id of an entity of a connection.
func NewEntityID(w id.Workspace, c id.Connection, ref connector.Ref) EntityID {
	return newHasher(w, c).entity(ref)
}

// String returns the public form: the prefix and 32 hexadecimal digits.
func (e EntityID) String() string { return entityPrefix + hex.EncodeToString(e[:]) }

// ParseEntityID reads the public form.
func ParseEntityID(s string) (EntityID, error) {
	var e EntityID
	err := e.UnmarshalText([]byte(s))
	return e, err
}

// MarshalText writes the public form.
func (e EntityID) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads the public form.
func (e *EntityID) UnmarshalText(text []byte) error {
	const want = len(entityPrefix) + 2*len(EntityID{})
	if len(text) != want || string(text[:len(entityPrefix)]) != entityPrefix {
		return fmt.Errorf("not a valid id: want %s followed by %d hexadecimal digits", entityPrefix, 2*len(EntityID{}))
	}
	if _, err := hex.Decode(e[:], text[len(entityPrefix):]); err != nil {
		return fmt.Errorf("not a valid id: want %s followed by %d hexadecimal digits", entityPrefix, 2*len(EntityID{}))
	}
	return nil
}

// hasher computes the ids and content hashes of one connection's rows. It keeps
// a buffer and is not safe for concurrent use.
type hasher struct {
	prefix [16]byte
	buf    []byte
	// kept is where encoded values of the rows are, one after the other.
	kept []byte
}

func newHasher(w id.Workspace, c id.Connection) *hasher {
	h := &hasher{}
	binary.BigEndian.PutUint64(h.prefix[:8], uint64(w))
	binary.BigEndian.PutUint64(h.prefix[8:], uint64(c))
	return h
}

func (h *hasher) entity(ref connector.Ref) EntityID {
	h.buf = append(h.buf[:0], h.prefix[:]...)
	h.text(string(ref.Kind))
	h.text(ref.ID)
	return EntityID(h.sum())
}

// relationship computes the id of an edge from what identifies it.
func (h *hasher) relationship(kind connector.RelationshipKind, from, to EntityID, key string) [16]byte {
	h.buf = append(h.buf[:0], h.prefix[:]...)
	h.text(string(kind))
	h.buf = append(h.buf, from[:]...)
	h.buf = append(h.buf, to[:]...)
	h.text(key)
	return h.sum()
}

// entityContent and relationshipContent compute a hash over what may change of a
// row.
func (h *hasher) entityContent(e *StagedEntity) [16]byte {
	h.buf = h.buf[:0]
	h.text(e.Name)
	h.text(e.Type)
	h.bytes(e.Identifiers)
	h.bytes(e.Attributes)
	return h.sum()
}

func (h *hasher) relationshipContent(r *StagedRelationship) [16]byte {
	h.buf = h.buf[:0]
	h.text(string(r.Effect))
	h.bytes(r.Terms)
	h.bytes(r.Attributes)
	return h.sum()
}

// text adds a length and a text, so that no two lists of texts look the same.
func (h *hasher) text(s string) {
	h.buf = binary.AppendUvarint(h.buf, uint64(len(s)))
	h.buf = append(h.buf, s...)
}

func (h *hasher) bytes(b []byte) {
	h.buf = binary.AppendUvarint(h.buf, uint64(len(b)))
	h.buf = append(h.buf, b...)
}

// keptFirst is what is set aside for encoded values at first.
const keptFirst = 16 << 10

// keep returns what add appends, in memory that the rows share.
func (h *hasher) keep(add func(dst []byte) []byte) []byte {
	if h.kept == nil {
		h.kept = make([]byte, 0, keptFirst)
	}
	first := len(h.kept)
	h.kept = add(h.kept)
	return h.kept[first:len(h.kept):len(h.kept)]
}

func (h *hasher) sum() [16]byte {
	full := sha256.Sum256(h.buf)
	return [16]byte(full[:16])
}

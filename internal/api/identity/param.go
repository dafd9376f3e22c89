package identity

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	domain "github.com/gatehouse-project/gatehouse/internal/identity"
)

func noCursor() error {
	return fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
}

func writePosition(p graph.EntityPosition) string {
	return base64.RawURLEncoding.EncodeToString(append(p.ID[:], p.Name...))
}

// readPosition reads the id, then the name, of the last identity shown.
func readPosition(cursor string) (*graph.EntityPosition, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	var p graph.EntityPosition
	if err != nil || len(raw) < len(p.ID) || !storable(string(raw[len(p.ID):])) {
		return nil, noCursor()
	}
	p.Name = string(raw[copy(p.ID[:], raw):])
	return &p, nil
}

// changeBytes is a moment in microseconds, a principal, and whether it came.
const changeBytes = 8 + 16 + 1

func writeChange(p domain.ChangePosition) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(p.At.UnixMicro()))
	raw = append(raw, p.Principal[:]...)
	if p.Joined {
		return base64.RawURLEncoding.EncodeToString(append(raw, 1))
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, 0))
}

func readChange(cursor string) (*domain.ChangePosition, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) != changeBytes || raw[changeBytes-1] > 1 {
		return nil, noCursor()
	}
	micros := int64(binary.BigEndian.Uint64(raw))
	// What no version can be of, the database would refuse.
	if micros < 0 || micros > time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() {
		return nil, noCursor()
	}
	return &domain.ChangePosition{At: time.UnixMicro(micros), Principal: graph.EntityID(raw[8:24]), Joined: raw[24] == 1}, nil
}

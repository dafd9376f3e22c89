package access

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// cursorBytes is the length of a cursor: the connection, the level, and the ids of
// the row's account or resource and of its identity.
const cursorBytes = 8 + 1 + 16 + 16

func cursor(at *graph.AccessPosition) string {
	if at == nil {
		return ""
	}
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, cursorBytes), uint64(at.Connection))
	raw = append(raw, byte(at.Level))
	raw = append(raw, at.ID[:]...)
	return base64.RawURLEncoding.EncodeToString(append(raw, at.Identity[:]...))
}

// position reads a cursor; nil for the first page.
func position(text string) (*graph.AccessPosition, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != cursorBytes {
		return nil, malformedCursor()
	}
	at := &graph.AccessPosition{Connection: id.Connection(binary.BigEndian.Uint64(raw)), Level: int(raw[8])}
	copy(at.ID[:], raw[9:25])
	copy(at.Identity[:], raw[25:])
	return at, nil
}

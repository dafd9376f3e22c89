package identity

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	domain "github.com/gatehouse-project/gatehouse/internal/identity"
)

// PathID is an identity's id in a path. What is no such id names nothing, so it is
// read as the zero id, which no identity has.
type PathID struct {
	ID graph.IdentityID

	text string
}

// UnmarshalText reads the public form.
func (p *PathID) UnmarshalText(text []byte) error {
	p.text = string(text)
	var found graph.IdentityID
	if found.UnmarshalText(text) == nil {
		p.ID = found
	}
	return nil
}

// Resolve notes what was asked for when it is no identity's id.
func (p *PathID) Resolve(ctx huma.Context, at *huma.PathBuffer) []error {
	if p.ID == (graph.IdentityID{}) {
		api.NoteMisnamed(ctx.Context(), at.String(), p.text)
	}
	return nil
}

// Schema describes the parameter. The pattern is documentation only: huma would
// answer a mismatch with 422.
func (PathID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{"identity_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607"}, Extensions: map[string]any{"pattern": "^identity_[0-9a-f]{32}$"},
	}
}

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

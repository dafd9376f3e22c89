package records

import (
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Place is what a cursor holds: a step of the partition, the provider's own marker
// of the page to ask for next, such as a token or a link, and after which item of
// that page to go on. The zero Place is the start.
type Place struct {
	Step   string `json:"step"`
	Marker string `json:"marker,omitempty"`
	After  string `json:"after,omitempty"`
}

// ParsePlace reads a cursor that [Place.Cursor] made; the empty one is the start.
// Any other text is an error of category ContractViolation.
func ParsePlace(c connector.Cursor) (Place, error) {
	var p Place
	if c == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(c), &p); err != nil || p.Step == "" {
		return p, &connector.Error{Category: connector.ContractViolation, Message: "the cursor was not made by this connector"}
	}
	return p, nil
}

// Cursor writes the place as a cursor. Whoever takes a marker from a provider
// refuses one that would make it longer than [connector.MaxCursorBytes].
func (p Place) Cursor() (connector.Cursor, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", &connector.Error{Category: connector.Internal, Message: "a cursor cannot be written", Cause: err}
	}
	return connector.Cursor(b), nil
}

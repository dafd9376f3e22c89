package graph

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Moment is what a question is asked about. The zero Moment is now.
//
// A publication counts from the moment that it became visible to readers, not
// from the one at which it began to write: what is asked about an earlier moment
// is answered as it was then.
type Moment struct {
	// At is a time that is not in the future.
	At time.Time
	// Run stands for the moment at which what this run read became visible.
	Run id.Run
	// Parameter names the moment where it is refused, such as "query.from";
	// "query.as_of" when empty.
	Parameter string
}

// Now reports whether the moment is the present.
func (m Moment) Now() bool { return m.At.IsZero() && m.Run == 0 }

// Refuse returns an Invalid error about the moment.
func (m Moment) Refuse(format string, args ...any) error {
	parameter := m.Parameter
	if parameter == "" {
		parameter = "query.as_of"
	}
	return fault.InvalidField(parameter, format, args...)
}

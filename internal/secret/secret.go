package secret

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is what every formatter prints in place of a secret, also of an
// empty one.
const Placeholder = "[secret]"

// Secret holds bytes that must not be printed. The zero value holds none. It is
// immutable, safe for concurrent use, and copying it is cheap.
//
// Secrets are compared by [Secret.Equal]; == does not compile.
type Secret struct {
	// A function instead of the bytes themselves: fmt cannot call methods on
	// an unexported field of another struct and prints its contents by
	// reflection, and dumpers used in tests follow pointers as well. Of a
	// function they all can show no more than an address.
	reveal func() []byte
}

var (
	_ fmt.Formatter  = Secret{}
	_ fmt.Stringer   = Secret{}
	_ fmt.GoStringer = Secret{}
	_ slog.LogValuer = Secret{}
	_ json.Marshaler = Secret{}
)

// FromString returns a Secret that holds s.
func FromString(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{reveal: func() []byte { return []byte(s) }}
}

// FromBytes returns a Secret that holds a copy of b. The caller keeps b and may
// clear it.
func FromBytes(b []byte) Secret {
	if len(b) == 0 {
		return Secret{}
	}
	own := bytes.Clone(b)
	return Secret{reveal: func() []byte { return bytes.Clone(own) }}
}

// Reveal returns a copy of the bytes, which the caller owns and may clear. It
// is nil where the Secret is empty.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// RevealString returns the value as a string.
func (s Secret) RevealString() string { return string(s.Reveal()) }

// IsZero reports whether the Secret holds nothing. It makes the JSON option
// omitzero work.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether both hold the same bytes, in a time that depends on
// their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.Reveal(), other.Reveal()) == 1
}

// String returns [Placeholder].
func (Secret) String() string { return Placeholder }

// GoString returns [Placeholder].
func (Secret) GoString() string { return Placeholder }

// Format writes [Placeholder] for every verb and flag.
func (Secret) Format(state fmt.State, _ rune) {
	// The printer that calls this keeps its own account of write errors.
	_, _ = io.WriteString(state, Placeholder)
}

// MarshalText returns [Placeholder].
func (Secret) MarshalText() ([]byte, error) { return []byte(Placeholder), nil }

// MarshalJSON returns [Placeholder] as a JSON string. There is no way back: a
// Secret is never read from JSON, so that a printed placeholder cannot be
// stored as if it were the value.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Placeholder + `"`), nil }

// LogValue returns [Placeholder].
func (Secret) LogValue() slog.Value { return slog.StringValue(Placeholder) }

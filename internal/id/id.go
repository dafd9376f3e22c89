package id

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind names a kind of row. Its implementations are empty structs whose zero
// value is all there is to them.
type Kind interface {
	// Prefix returns the lower-case letters that stand before the underscore
	// in the public form, for example "conn". It is the same on every call.
	Prefix() string
}

// ID identifies one row of kind K. Valid identifiers are 1 and above; the zero
// value means "none". The number itself is int64(id).
//
// Its kind is a plain integer on purpose: pgx then encodes and scans it as
// int8 (and slices of it as int8[]) without help. It must not get a Value
// method, because pgx asks driver.Valuer before it looks at the integer.
type ID[K Kind] int64

// maxDigits is the number of digits of the largest bigint.
const maxDigits = 19

// String returns the public form, such as "conn_123". The zero value gives the
// empty string.
func (id ID[K]) String() string {
	if id == 0 {
		return ""
	}
	return prefix[K]() + strconv.FormatInt(int64(id), 10)
}

// Parse reads the public form: the prefix of K, an underscore and 1 to 19
// decimal digits without a leading zero, at most 9223372036854775807. Anything
// else, also the empty string, is a [*ParseError].
func Parse[K Kind](s string) (ID[K], error) {
	want := prefix[K]()
	digits, ok := strings.CutPrefix(s, want)
	if !ok || digits == "" || len(digits) > maxDigits || digits[0] == '0' {
		return 0, &ParseError{Prefix: want}
	}
	// ParseUint, unlike ParseInt, takes no sign.
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > math.MaxInt64 {
		return 0, &ParseError{Prefix: want}
	}
	return ID[K](n), nil
}

// MarshalText returns what String does, so that JSON shows the public form. A
// negative identifier is an error: no row has one.
func (id ID[K]) MarshalText() ([]byte, error) {
	if id < 0 {
		return nil, fmt.Errorf("marshal id %s%d: negative", prefix[K](), int64(id))
	}
	return []byte(id.String()), nil
}

// UnmarshalText reads what Parse reads. It refuses the empty text that
// MarshalText writes for the zero value: a field that may be missing is left
// out (omitzero) or null.
func (id *ID[K]) UnmarshalText(text []byte) error {
	parsed, err := Parse[K](string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// ParseError tells that a text is not the public form of the wanted kind. It
// does not repeat the text, which may be long and of any content.
type ParseError struct {
	// Prefix is what the text has to start with, underscore included.
	Prefix string
}

// Error describes the wanted form.
func (e *ParseError) Error() string {
	return fmt.Sprintf("not a valid id: want %s followed by a number, as in %s123", e.Prefix, e.Prefix)
}

func prefix[K Kind]() string {
	var kind K
	return kind.Prefix() + "_"
}

package fault

import (
	"errors"
	"fmt"
)

// Kind is what sort of failure an error is, in terms every transport knows.
type Kind int

// The kinds. The zero value is Internal: an error nobody classified.
const (
	Internal Kind = iota
	// Invalid means the caller's input is wrong; Fields says where.
	Invalid
	// Unauthenticated means nobody proved who is calling.
	Unauthenticated
	// Forbidden means the caller is a member but lacks a capability.
	Forbidden
	// NotFound means there is no such thing, or none the caller may know of.
	NotFound
	// Conflict means the thing is not in a state that allows this now.
	Conflict
	// Stale means the caller acted on an older version or an ended lease.
	Stale
	// TooLarge means the input exceeds a limit.
	TooLarge
	// Unavailable means a part the answer needs is down; trying later helps.
	Unavailable
)

func (k Kind) String() string {
	names := [...]string{"internal", "invalid", "unauthenticated", "forbidden", "not found", "conflict", "stale", "too large", "unavailable"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", int(k))
}

// Field is one thing wrong with an input.
type Field struct {
	// Path of the field in the input, such as "configuration.region".
	Path string
	// Pointer is the field as a JSON pointer (RFC 6901) into the input, for a
	// path that cannot be taken apart at its dots; otherwise empty.
	Pointer string
	// Message says what is wrong and what is accepted; it never repeats a
	// secret.
	Message string
}

// Error is a failure that a caller outside may be told of.
type Error struct {
	Kind Kind
	// Message is public: it names what failed and the way out.
	Message string
	Fields  []Field
	// Cause stays inside the process.
	Cause error
}

func (e *Error) Error() string {
	s := e.Message
	for _, f := range e.Fields {
		s += fmt.Sprintf("; %s: %s", f.Path, f.Message)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error of kind k with a public message.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap is [New] with a cause that stays inside.
func Wrap(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// InvalidField returns an Invalid error about one field.
func InvalidField(path, format string, args ...any) *Error {
	return InvalidFields(Field{Path: path, Message: fmt.Sprintf(format, args...)})
}

// InvalidFields returns an Invalid error about several fields.
func InvalidFields(fields ...Field) *Error {
	msg := "the request is not valid"
	if len(fields) == 1 {
		msg = fmt.Sprintf("%s is not valid", fields[0].Path)
	}
	return &Error{Kind: Invalid, Message: msg, Fields: fields}
}

// KindOf returns the kind of the first [*Error] in err's chain, or Internal.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// As finds the first [*Error] in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

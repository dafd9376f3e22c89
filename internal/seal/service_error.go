package seal

import (
	"errors"
	"fmt"
)

// Problem is why a key service did not do what it was asked.
type Problem int

// The problems. A wrapped key that does not open is none of them: it is
// ErrDamaged.
const (
	// Failed: the service answered with an error that fits nothing else.
	Failed Problem = iota
	// Denied: the credentials of this process may not use the key.
	Denied
	// Unusable: the key is disabled, pending deletion, or of the wrong kind.
	Unusable
	// Missing: the service has no such key.
	Missing
	// Unreachable: the service did not answer, or said that it cannot now.
	// Trying again later helps.
	Unreachable
	// Misconfigured: this process found no credentials to ask with.
	Misconfigured
)

// ServiceError is a key service's refusal or silence. Its text is for the
// operator; it holds neither key material nor the service's own words, which
// can repeat what was sent.
type ServiceError struct {
	// Key is the one that was to be used.
	Key     Key
	Problem Problem
	// Advice says what to do, such as the permission that is needed.
	Advice string
	// Code is the service's own name for the error, such as
	// "AccessDeniedException"; empty when it gave none.
	Code string
	// Cause stays inside the process.
	Cause error
}

// Error says which key, what is wrong, and what to do.
func (e *ServiceError) Error() string {
	text := fmt.Sprintf("%s key %s: ", e.Key.Wrapper, e.Key.ID)
	switch e.Problem {
	case Denied:
		text += "access denied"
	case Unusable:
		text += "the key cannot be used"
	case Missing:
		text += "there is no such key"
	case Unreachable:
		text += "the key service does not answer"
	case Misconfigured:
		text += "this process has no credentials for the key service"
	default:
		text += "the key service refuses"
	}
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Advice != "" {
		text += ": " + e.Advice
	}
	return text
}

// Unwrap returns the cause.
func (e *ServiceError) Unwrap() error { return e.Cause }

// Unavailable reports whether err comes from a key service that another try
// later may find better disposed.
func Unavailable(err error) bool {
	var service *ServiceError
	return errors.As(err, &service) && service.Problem == Unreachable
}

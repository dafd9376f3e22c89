package connector

import (
	"errors"
	"fmt"
	"time"
)

// Category is the one reason a call to a provider failed. The platform maps
// each to exactly one reason code.
type Category string

// The categories.
const (
	CredentialInvalid   Category = "credential_invalid"
	CredentialExpired   Category = "credential_expired"
	ConsentRequired     Category = "consent_required"
	PermissionDenied    Category = "permission_denied"
	TargetMismatch      Category = "target_mismatch"
	Throttled           Category = "throttled"
	NetworkUnreachable  Category = "network_unreachable"
	ProviderUnavailable Category = "provider_unavailable"
	ScopeInvalid        Category = "scope_invalid"
	ContractViolation   Category = "contract_violation"
	Internal            Category = "internal"
)

// Categories lists all categories. Callers get their own copy.
func Categories() []Category {
	return []Category{
		CredentialInvalid, CredentialExpired, ConsentRequired, PermissionDenied, TargetMismatch,
		Throttled, NetworkUnreachable, ProviderUnavailable, ScopeInvalid, ContractViolation, Internal,
	}
}

// Error is a failure in the contract's own terms. Message is shown to people:
// it names what failed and holds no secret and no text of the provider that
// could carry one.
type Error struct {
	Category Category `json:"category"`
	Message  string   `json:"message"`
	// Permission is the provider permission that was missing, for PermissionDenied.
	Permission string `json:"permission,omitempty"`
	// On is what the permission was missing on, such as an account or bucket.
	On string `json:"on,omitempty"`
	// RetryAfter is how long the provider asked to wait, for Throttled and
	// ProviderUnavailable; zero when it did not say. In nanoseconds on the wire.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// Cause is for logs inside the process only; it is never sent on.
	Cause error `json:"-"`
}

func (e *Error) Error() string {
	s := string(e.Category) + ": " + e.Message
	if e.Permission != "" {
		s += fmt.Sprintf(" (%s", e.Permission)
		if e.On != "" {
			s += " on " + e.On
		}
		s += ")"
	}
	return s
}

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Cause }

// Retryable reports whether the same call may succeed later without anyone
// changing anything.
func (e *Error) Retryable() bool {
	switch e.Category {
	case Throttled, NetworkUnreachable, ProviderUnavailable:
		return true
	}
	return false
}

// AsError finds the [*Error] in err's chain. An error that is none is returned
// as [Internal] with err as its cause and a message that does not repeat it.
// It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Category: Internal, Message: "the connector failed in a way it did not explain", Cause: err}
}

package connector

import (
	"context"
	"errors"
)

// Renewal declares a secret that the provider may replace each time it is used, such
// as an OAuth 2.0 refresh token (RFC 6749, 6). The platform keeps it: it is left out
// of [Settings.Configuration], given to one session at a time by
// [Settings.Credentials], and stored anew before what it was exchanged for is used.
type Renewal struct {
	// Field is the secret field of the configuration that holds it. It is a text.
	Field string `json:"field"`
}

// Renewed is what a provider gave for a renewable secret.
type Renewed struct {
	// Secret takes the place of the one that was exchanged; empty when the provider
	// lets that one stay.
	Secret string
}

// Credentials exchange the renewable secret of one connection. They are safe for
// concurrent use.
type Credentials interface {
	// Renew calls exchange with the present secret while nobody else may exchange it,
	// and stores what exchange returns. What else the provider gave, such as an access
	// token, is used only after Renew has returned nil. exchange asks the provider
	// once, within ctx, and is not called when another session does not end in time.
	//
	// Where exchange returns an [*Error] of category CredentialExpired or
	// ConsentRequired, the provider refuses the secret for good: somebody has to sign
	// in there again, and the connection says so. After any other error the secret is
	// tried again by whoever is next, since it is not known whether it was used.
	// Renew returns that error unchanged; its own are the context's or an [*Error].
	Renew(ctx context.Context, exchange func(ctx context.Context, secret string) (Renewed, error)) error
}

// RefusedForGood reports whether an exchange's error says that the provider does not
// take the secret any more, whoever tries.
func RefusedForGood(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Category == CredentialExpired || e.Category == ConsentRequired)
}

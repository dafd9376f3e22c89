package workerapi

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// RenewalPath is where a worker asks for a secret that it alone exchanges at the
// provider, by POST of a [RenewalRequest].
func RenewalPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/credential-renewal" }

// RenewalEndPath is where it says how that ended, by POST of a [RenewalEnd].
func RenewalEndPath(r id.Run) string { return RenewalPath(r) + "/end" }

// RenewalRequest asks for leave to exchange a connection's renewable secret.
type RenewalRequest struct {
	Lease
	// RenewalID, 32 random hexadecimal digits of the worker's, is what the exchange is
	// known by. A request that is sent again is the same exchange.
	RenewalID string `json:"renewal_id" minLength:"32" maxLength:"32" doc:"What the exchange is to be known by, 32 hexadecimal digits."`
}

// RenewalAnswer gives leave, with the secret, or says how long another has it.
type RenewalAnswer struct {
	Secret string `json:"secret,omitempty"`
	// WaitMilliseconds is after how long to ask again; zero with the secret.
	WaitMilliseconds int64 `json:"wait_ms,omitempty"`
	// LeaseMilliseconds is how long nobody else is given the secret.
	LeaseMilliseconds int64 `json:"lease_ms,omitempty"`
}

// Wait is how long to wait before asking again.
func (a RenewalAnswer) Wait() time.Duration {
	return time.Duration(a.WaitMilliseconds) * time.Millisecond
}

// Lease is how long nobody else is given the secret.
func (a RenewalAnswer) Lease() time.Duration {
	return time.Duration(a.LeaseMilliseconds) * time.Millisecond
}

// RenewalEnd ends an exchange. It is taken from whoever began it as long as nobody
// else has begun another, even when the run is not that worker's any more: what the
// provider gave would be lost.
type RenewalEnd struct {
	Lease
	RenewalID string `json:"renewal_id" minLength:"32" maxLength:"32" doc:"What the exchange is known by."`
	Outcome   string `json:"outcome" doc:"How it ended: renewed, kept, refused or unknown."`
	// Secret takes the place of the one exchanged, for the outcome renewed.
	Secret string `json:"secret,omitempty" doc:"The secret that takes the place of the one exchanged."`
}

// How an exchange ends.
const (
	// RenewalRenewed has another secret take the place of the one exchanged.
	RenewalRenewed = "renewed"
	// RenewalKept says that the provider lets it stay.
	RenewalKept = "kept"
	// RenewalRefused says that the provider does not take it any more.
	RenewalRefused = "refused"
	// RenewalUnknown says that nobody knows whether it was used.
	RenewalUnknown = "unknown"
)

package connection

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// Lifecycle says whether a connection may be used.
type Lifecycle string

// The lifecycles.
const (
	NeedsConsent Lifecycle = "needs_consent"
	Active       Lifecycle = "active"
	Disabled     Lifecycle = "disabled"
)

// Status is how a connection fared when it was last used.
type Status string

// The statuses.
const (
	Healthy  Status = "healthy"
	Degraded Status = "degraded"
	Unknown  Status = "unknown"
)

// Connection is a workspace's installation of an integration.
type Connection struct {
	ID               id.Connection
	Scope            id.Scope
	Integration      integration.ID
	ConnectorID      string
	ConnectorVersion string
	// Target is the organisation the connection is for: named when it was made, or
	// found by the first test or run that succeeds. It never becomes another.
	Target *Target
	// ActsAs is the provider's id of whom the credentials act as; empty until a
	// test or a run has found it.
	ActsAs string
	Name   string
	// Config is the readable half of the configuration, a JSON object.
	Config json.RawMessage
	// ConfigRefs are the secret fields that refer to a secret kept elsewhere, and
	// the kind of each reference, such as "env".
	ConfigRefs map[string]string
	// CredentialType is the kind of stored credential; empty when there is none.
	CredentialType string
	// SecretFields are the names of the fields in the stored credential.
	SecretFields  []string
	ReadScope     json.RawMessage
	Schedule      Schedule
	Metadata      json.RawMessage
	ScopesGranted []string
	IsDefault     bool
	Lifecycle     Lifecycle
	Status        Status

	LastRunAt         *time.Time
	LastUsedAt        *time.Time
	LastConnectedAt   *time.Time
	LastHealthCheckAt *time.Time
	LastErrorReason   operation.Code
	LastErrorMessage  string
	// NextRunAt is when the schedule starts the connection next, its spread
	// included; see [Connection.Due].
	NextRunAt *time.Time
	// LastScheduledAt is when it did last, also when the start was blocked.
	LastScheduledAt *time.Time
	// ScheduleFailures is how many scheduled runs have failed in a row.
	ScheduleFailures int
	// SchedulePause is set when they were too many; see [FailuresToPause].
	SchedulePause *Pause

	// Version counts changes made by people; neither health nor renewals count.
	Version int64
	// CredentialVersion is the newest version that a credential was sealed to, if
	// one has been replaced.
	CredentialVersion int64
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Ready returns the reason why an operation cannot use the connection now; ok is
// true when there is none. A connection that waits for consent may be tested:
// that is how it is found that consent was given.
func (c *Connection) Ready(op operation.Type) (why operation.Code, ok bool) {
	switch {
	case c.Lifecycle == Disabled:
		return operation.ConnectionDisabled, false
	case c.Lifecycle == NeedsConsent && op != operation.ConnectionTest:
		return operation.ConsentRequired, false
	}
	return "", true
}

// Due is when a schedule starts the connection next; nil while nothing may use
// it, whatever its schedule says, as in an archived workspace, and while the
// schedule is paused.
func (c *Connection) Due(archived bool) *time.Time {
	if _, ready := c.Ready(operation.DiscoveryRun); !ready || archived || c.SchedulePause != nil {
		return nil
	}
	return c.NextRunAt
}

// Sealed is an encrypted configuration half, in columns.
type Sealed struct {
	Version       int64
	Type          string
	Algorithm     string
	Wrapper       string
	KMSKeyID      string
	WrappedKey    []byte
	Nonce         []byte
	Ciphertext    []byte
	SchemaVersion string
}

// TestResult is what one test of a connection found.
type TestResult struct {
	ID          id.Test
	Connection  id.Connection
	Run         id.Run
	Success     bool
	Reason      operation.Code
	CheckedAt   time.Time
	Remediation []connector.Remediation
	Outlook     []connector.StreamOutlook
}

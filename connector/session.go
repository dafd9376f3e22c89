package connector

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
)

// Connector makes sessions with one provider system. Implementations are safe
// for concurrent use and hold no state of any connection.
type Connector interface {
	// Manifest describes the connector. It is the same on every call.
	Manifest() Manifest
	// Open prepares a session; it does not call the provider. It returns an
	// [*Error] when the settings contradict each other. The caller closes the
	// session.
	Open(ctx context.Context, settings Settings) (Session, error)
}

// Settings are what a session needs to reach its provider.
type Settings struct {
	// Configuration holds secret and readable fields together, valid against
	// the manifest's schema, but for the field of its [Renewal], which is left out.
	// It must not be kept after the session is closed.
	Configuration json.RawMessage
	// Scope is valid against the manifest's scope schema; nil means everything
	// the credentials reach.
	Scope json.RawMessage
	// HTTPClient makes every call to the provider. It enforces the operator's
	// rules on which addresses may be reached and never retries. The one
	// exception: where a configuration asks for the ambient credentials of the
	// worker's own environment, the provider's SDK may find them by itself, in
	// files or at the host's metadata address.
	HTTPClient *http.Client
	// Budget is asked for leave before each call to the provider, by the scopes of
	// the manifest; [Metered] does so for HTTP. Nil means that nobody counts.
	Budget Budget
	// Credentials exchange the secret that the manifest's [Renewal] names. Nil when
	// the manifest names none, or nobody keeps it.
	Credentials Credentials
	// Logger must not be given secrets.
	Logger *slog.Logger
}

// Session is a connector at work for one run of one connection. It is used by
// one goroutine at a time, except Close.
type Session interface {
	// Check verifies the credentials, names the target they reach, and tests
	// the declared permissions as far as the provider allows without changing
	// anything. An [*Error] means that nothing could be checked further, for
	// example because the credentials are wrong; missing permissions are not
	// an error but [Remediation] items.
	Check(ctx context.Context) (CheckResult, error)
	// Plan lists what this run reads. The same target gives the same plan.
	Plan(ctx context.Context) (Plan, error)
	// Read reads one partition from the cursor on, page by page, and returns
	// nil when it has seen all of it. The empty cursor is the start. On an
	// [*Error] the runtime may call Read again with the cursor of the last
	// page that the sink accepted; what was sent up to there stays.
	Read(ctx context.Context, p Partition, from Cursor, to Sink) error
	// Close releases what the session holds. It is safe to call twice.
	Close() error
}

// Cursor is an opaque place in a partition, at most [MaxCursorBytes] bytes. It
// is self-contained: another process on another machine can continue from it.
type Cursor string

// Plan is what a run reads.
type Plan struct {
	// Partitions of a stream come after those of the streams it depends on.
	Partitions []Partition `json:"partitions"`
	// Complete says that these are all the partitions in scope, those that are
	// skipped among them. What an earlier run read as a partition that is not
	// here is then out of scope, and the platform closes what it showed. It is
	// false, and nothing is closed for that reason, when something that names
	// partitions could not be listed or may have been cut short. A plan without
	// partitions closes nothing either.
	Complete bool `json:"complete,omitempty"`
}

// Partition is a part of a stream that is read, and known to be complete, by
// itself: an AWS account, a Salesforce object.
type Partition struct {
	Stream string `json:"stream"`
	// Key tells the partitions of a stream apart and stays the same from run
	// to run. Empty for a stream with one partition. Up to [MaxKeyBytes] bytes.
	Key string `json:"key,omitempty"`
	// Skip says why the partition cannot be read at all. It is then recorded
	// as skipped and Read is not called.
	Skip *Error `json:"skip,omitempty"`
}

// Page is what one step of a read found. It holds at most [MaxPageRecords]
// records, entities and relationships together.
type Page struct {
	Entities      []Entity       `json:"entities,omitempty"`
	Relationships []Relationship `json:"relationships,omitempty"`
	// Gaps are things the provider would not show. Any gap makes the partition
	// partial: nothing it did not emit is taken to be gone.
	Gaps []Error `json:"gaps,omitempty"`
	// Next is where to continue after this page. It may be empty only on the
	// last page of a partition.
	Next Cursor `json:"next,omitempty"`
}

// Sink takes the pages of a read.
type Sink interface {
	// Write hands over a page. When it returns nil the page, and the cursor in
	// it, will not be asked for again. An error ends the read; the connector
	// returns it unchanged. The page belongs to the sink from then on.
	Write(ctx context.Context, page Page) error
}

// Coverage says how completely a partition was read.
type Coverage string

// The coverages. Only Complete proves that what was not emitted is gone.
const (
	Complete Coverage = "complete"
	Partial  Coverage = "partial"
	Skipped  Coverage = "skipped"
)

// CheckResult is what a successful conversation with the provider told.
type CheckResult struct {
	// Target is the organisation the credentials reach.
	Target Target `json:"target"`
	// ActsAs is the provider's immutable id of whom the credentials act as, such
	// as a user's or application's id, at most 1,024 bytes. Empty when the
	// provider does not tell: then nobody notices that something is connected
	// twice.
	ActsAs string `json:"acts_as,omitempty"`
	// Granted lists the permissions or scopes that the provider says were
	// granted. When it is nil, the runtime takes those of the manifest that no
	// stream misses.
	Granted []string `json:"granted,omitempty"`
	// Sufficient says that every stream the manifest does not call optional
	// would be read completely.
	Sufficient bool `json:"sufficient"`
	// Streams says, for each stream of the manifest, how complete it would be.
	Streams []StreamOutlook `json:"streams"`
	// Remediation says what to do about each gap.
	Remediation []Remediation `json:"remediation"`
}

// Target is the provider-side organisation that a connection reaches.
type Target struct {
	// ID is the provider's immutable id of it, such as an AWS account or
	// organisation id.
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Type is the provider's term, such as "organization" or "account".
	Type string `json:"type"`
}

// Identity is what credentials are at the provider.
type Identity struct {
	// Target and ActsAs are those of a [CheckResult].
	Target Target
	ActsAs string
}

// IdentifyingSession is a session that can name its target without the rest of a
// check. It is optional: before a run reads anything it is asked what it reaches,
// and of a session that is no IdentifyingSession the answer is taken from Check.
type IdentifyingSession interface {
	Session
	// Identify names the target and whom the credentials act as, in as few calls
	// as possible. It returns the same as Check, or an [*Error] where that is not
	// known for certain; the run then ends before it has read anything.
	Identify(ctx context.Context) (Identity, error)
}

// StreamOutlook is what a run would get from one stream.
type StreamOutlook struct {
	Stream   string   `json:"stream"`
	Coverage Coverage `json:"coverage"`
	// Missing names the permissions that stand in the way.
	Missing []string `json:"missing,omitempty"`
}

// RemediationCategory groups remediation items for people and machines.
type RemediationCategory string

// The remediation categories.
const (
	RemedyCredentials   RemediationCategory = "credentials"
	RemedyPermissions   RemediationCategory = "permissions"
	RemedyConfiguration RemediationCategory = "configuration"
	RemedyScope         RemediationCategory = "scope"
	RemedyNetwork       RemediationCategory = "network"
	RemedyProvider      RemediationCategory = "provider"
)

// Remediation is one thing that is wrong and what to do about it.
type Remediation struct {
	Category RemediationCategory `json:"category"`
	Message  string              `json:"message"`
	Action   string              `json:"action"`
}

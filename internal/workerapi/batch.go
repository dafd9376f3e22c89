package workerapi

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/gatehouse-project/gatehouse/connector"
)

// BatchContentType is a batch's media type: JSON lines, the first a [Header] with
// the number of lines of each kind, then entities, relationships and gaps. The
// body is compressed by Zstandard.
const BatchContentType = "application/x-ndjson"

// BatchEncoding is a batch's content encoding.
const BatchEncoding = "zstd"

// Header is the first line of a batch.
type Header struct {
	Stream    string `json:"stream"`
	Partition string `json:"partition,omitempty"`
	// Next is the cursor after the page.
	Next connector.Cursor `json:"next,omitempty"`
	// End, when not empty, says how completely the partition was read.
	End     connector.Coverage `json:"end,omitempty"`
	Failure *Failure           `json:"failure,omitempty"`
}

// headerLine is a header as it is sent, with the number of lines that follow.
type headerLine struct {
	Header        `json:",inline"`
	Entities      int `json:"entities,omitempty"`
	Relationships int `json:"relationships,omitempty"`
	Gaps          int `json:"gaps,omitempty"`
}

// The lines mirror the contract's records field by field; their raw JSON is of
// the decoder's own type, which it passes through without a second look.
type entityLine struct {
	Kind        connector.EntityKind   `json:"kind"`
	ID          string                 `json:"id"`
	Name        string                 `json:"name,omitempty"`
	Type        string                 `json:"type,omitempty"`
	Identifiers []connector.Identifier `json:"identifiers,omitempty"`
	Attributes  jsontext.Value         `json:"attributes,omitempty"`
}

type relationshipLine struct {
	Kind       connector.RelationshipKind `json:"kind"`
	From       connector.Ref              `json:"from"`
	To         connector.Ref              `json:"to"`
	Key        string                     `json:"key,omitempty"`
	Terms      *termsLine                 `json:"terms,omitempty"`
	Attributes jsontext.Value             `json:"attributes,omitempty"`
}

func (h *headerLine) lines() int { return h.Entities + h.Relationships + h.Gaps }

// MaxBatchPages is how many pages of a partition a batch may hold.
const MaxBatchPages = 2

// maxLines bounds the records and gaps of a batch.
const maxLines = 2 * MaxBatchPages * connector.MaxPageRecords

// ErrTooLarge says that a batch exceeds a limit of the protocol.
var ErrTooLarge = errors.New("the batch is too large")

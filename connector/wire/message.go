package wire

import (
	"encoding/json"
	"math"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Protocol is the version of the conversation. The two hellos have to agree.
const Protocol = 1

// MaxLineBytes is the longest a line may be, without its end.
const MaxLineBytes = 16 << 20

// Type says what a message is.
type Type string

// The messages of both sides.
const (
	Hello Type = "hello"
)

// The messages of the host.
const (
	Describe Type = "describe"
	Open     Type = "open"
	Check    Type = "check"
	Identify Type = "identify"
	Plan     Type = "plan"
	Read     Type = "read"
	Next     Type = "next"
	Granted  Type = "granted"
	Refused  Type = "refused"
	Cancel   Type = "cancel"
)

// The messages of the connector.
const (
	Result    Type = "result"
	Failed    Type = "error"
	Cancelled Type = "cancelled"
	Page      Type = "page"
	Take      Type = "take"
	Release   Type = "release"
	Throttled Type = "throttled"
	Log       Type = "log"
)

// IdentifyCapability in a connector's hello says that it answers identify.
const IdentifyCapability = "identify"

// Message is one line.
type Message struct {
	Type Type `json:"type"`
	// ID is the number of the call that the message belongs to.
	ID int64 `json:"id,omitempty"`

	// Protocol and Contract are those of a hello, Capabilities what its sender
	// can do beyond what has to be.
	Protocol     int      `json:"protocol,omitempty"`
	Contract     string   `json:"contract,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`

	// Configuration, Scope and Proxy are those of open. Proxy is the URL of an HTTP
	// proxy; empty where there is no way to any network.
	Configuration json.RawMessage `json:"configuration,omitempty"`
	Scope         json.RawMessage `json:"scope,omitempty"`
	Proxy         string          `json:"proxy,omitempty"`

	// Partition and Cursor are those of read.
	Partition *PartitionBody   `json:"partition,omitempty"`
	Cursor    connector.Cursor `json:"cursor,omitempty"`

	// Result is what a call gave: a manifest, a [connector.CheckResult], an
	// [IdentityBody], a [PlanBody]; nothing for open and read.
	Result json.RawMessage `json:"result,omitempty"`
	// Error is that of error and of refused.
	Error *ErrorBody `json:"error,omitempty"`
	Page  *PageBody  `json:"page,omitempty"`

	// Take numbers what is asked of the budget; Uses are what it takes.
	Take int64     `json:"take,omitempty"`
	Uses []UseBody `json:"uses,omitempty"`
	// RetryAfterSeconds is how long the provider asked to wait, in throttled.
	RetryAfterSeconds float64 `json:"retry_after_seconds,omitempty"`

	// Level is debug, info, warn or error; Text is shown as it is, and Attributes, a
	// JSON object, beside it.
	Level      string          `json:"level,omitempty"`
	Text       string          `json:"text,omitempty"`
	Attributes json.RawMessage `json:"attributes,omitempty"`
}

// ErrorBody is a [connector.Error] on the line.
type ErrorBody struct {
	Category          connector.Category `json:"category"`
	Message           string             `json:"message"`
	Permission        string             `json:"permission,omitempty"`
	On                string             `json:"on,omitempty"`
	RetryAfterSeconds float64            `json:"retry_after_seconds,omitempty"`
}

// PlanBody is a [connector.Plan] on the line.
type PlanBody struct {
	Partitions []PartitionBody `json:"partitions"`
	Complete   bool            `json:"complete,omitempty"`
}

// PartitionBody is a [connector.Partition] on the line.
type PartitionBody struct {
	Stream string     `json:"stream"`
	Key    string     `json:"key,omitempty"`
	Skip   *ErrorBody `json:"skip,omitempty"`
}

// PageBody is a [connector.Page] on the line.
type PageBody struct {
	Entities      []connector.Entity       `json:"entities,omitempty"`
	Relationships []connector.Relationship `json:"relationships,omitempty"`
	Gaps          []ErrorBody              `json:"gaps,omitempty"`
	Next          connector.Cursor         `json:"next,omitempty"`
}

// IdentityBody is a [connector.Identity] on the line.
type IdentityBody struct {
	Target connector.Target `json:"target"`
	ActsAs string           `json:"acts_as,omitempty"`
}

// UseBody is a [connector.Use] on the line.
type UseBody struct {
	Scope string   `json:"scope"`
	Key   []string `json:"key"`
	Calls int      `json:"calls,omitempty"`
}

// NewError returns an error's form on the line, without its cause.
func NewError(e *connector.Error) *ErrorBody {
	return &ErrorBody{Category: e.Category, Message: e.Message, Permission: e.Permission, On: e.On, RetryAfterSeconds: e.RetryAfter.Seconds()}
}

// Error returns the error.
func (b *ErrorBody) Error() *connector.Error {
	return &connector.Error{Category: b.Category, Message: b.Message, Permission: b.Permission, On: b.On, RetryAfter: Seconds(b.RetryAfterSeconds)}
}

// NewPlan returns a plan's form on the line.
func NewPlan(p connector.Plan) PlanBody {
	b := PlanBody{Partitions: []PartitionBody{}, Complete: p.Complete}
	for _, one := range p.Partitions {
		part := PartitionBody{Stream: one.Stream, Key: one.Key}
		if one.Skip != nil {
			part.Skip = NewError(one.Skip)
		}
		b.Partitions = append(b.Partitions, part)
	}
	return b
}

// Plan returns the plan.
func (b PlanBody) Plan() connector.Plan {
	p := connector.Plan{Complete: b.Complete}
	for _, part := range b.Partitions {
		p.Partitions = append(p.Partitions, part.Partition())
	}
	return p
}

// Partition returns the partition.
func (b PartitionBody) Partition() connector.Partition {
	p := connector.Partition{Stream: b.Stream, Key: b.Key}
	if b.Skip != nil {
		p.Skip = b.Skip.Error()
	}
	return p
}

// NewPage returns a page's form on the line.
func NewPage(p connector.Page) *PageBody {
	b := &PageBody{Entities: p.Entities, Relationships: p.Relationships, Next: p.Next}
	for i := range p.Gaps {
		b.Gaps = append(b.Gaps, *NewError(&p.Gaps[i]))
	}
	return b
}

// Page returns the page.
func (b *PageBody) Page() connector.Page {
	p := connector.Page{Entities: b.Entities, Relationships: b.Relationships, Next: b.Next}
	for i := range b.Gaps {
		p.Gaps = append(p.Gaps, *b.Gaps[i].Error())
	}
	return p
}

// NewUses returns the form of uses on the line.
func NewUses(uses []connector.Use) []UseBody {
	all := make([]UseBody, len(uses))
	for i, u := range uses {
		all[i] = UseBody{Scope: u.Scope, Key: u.Key, Calls: u.Calls}
	}
	return all
}

// Uses returns the uses.
func Uses(all []UseBody) []connector.Use {
	uses := make([]connector.Use, len(all))
	for i, b := range all {
		uses[i] = connector.Use{Scope: b.Scope, Key: b.Key, Calls: b.Calls}
	}
	return uses
}

// longestWait bounds what is believed of a provider's wish to wait.
const longestWait = connector.MaxThrottlePeriod

// Seconds returns a time in seconds as a duration of zero to 31 days.
func Seconds(s float64) time.Duration {
	switch {
	case math.IsNaN(s) || s <= 0:
		return 0
	case s >= longestWait.Seconds():
		return longestWait
	}
	return time.Duration(math.Round(s * float64(time.Second)))
}

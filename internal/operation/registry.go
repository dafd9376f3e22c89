package operation

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Type names an operation, such as "discovery.run".
type Type string

// The operations.
const (
	ConnectionTest Type = "connection.test"
	DiscoveryRun   Type = "discovery.run"
)

// Queue is a line of waiting runs that workers are assigned to.
type Queue string

// The queues. Tests have their own, so that none waits behind a long discovery.
const (
	TestQueue      Queue = "tests"
	DiscoveryQueue Queue = "discovery"
)

// Queues lists the queues. Callers get their own copy.
func Queues() []Queue { return []Queue{TestQueue, DiscoveryQueue} }

// Protection is what an operation must have to itself while it is under way.
type Protection string

// The protections.
const (
	ProtectsNothing    Protection = "nothing"
	ProtectsConnection Protection = "connection"
)

// Operation is a registered kind of provider-backed work.
type Operation struct {
	Type Type
	// Verb and Object make messages: "Test connection Prod AWS".
	Verb   string
	Object string
	// Module is the part of the product the work belongs to.
	Module     string
	Capability workspace.Capability
	Queue      Queue
	Protects   Protection
	// Dedupes says that a start identical to an unfinished one makes no new run.
	Dedupes bool
	// Deadline is how long a run may take from its start until it is failed.
	Deadline time.Duration
}

// All lists the registered operations. Callers get their own copy.
func All() []Operation {
	return []Operation{
		{
			Type: ConnectionTest, Verb: "Test", Object: "connection", Module: "connections",
			Capability: workspace.ManageConnections, Queue: TestQueue, Protects: ProtectsNothing, Deadline: 2 * time.Minute,
		},
		{
			Type: DiscoveryRun, Verb: "Discover", Object: "access", Module: "discovery",
			Capability: workspace.StartOperations, Queue: DiscoveryQueue, Protects: ProtectsConnection, Dedupes: true, Deadline: 12 * time.Hour,
		},
	}
}

// Get returns the operation, or NotFound.
func Get(t Type) (Operation, error) {
	for _, o := range All() {
		if o.Type == t {
			return o, nil
		}
	}
	return Operation{}, fault.New(fault.NotFound, "there is no operation %q", t)
}

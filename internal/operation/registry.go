package operation

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Type names an operation, such as "discovery.run".
type Type string

// The operations.
const (
	ConnectionTest      Type = "connection.test"
	DiscoveryRun        Type = "discovery.run"
	GroupsSync          Type = "directory.groups.sync"
	RoleDefinitionsSync Type = "directory.role_definitions.sync"
	PolicyBackup        Type = "policy.backup"
	RestoreExecute      Type = "restore.execute"
)

// Queue is a line of waiting runs that workers are assigned to.
type Queue string

// The queues. Tests have their own, so that none waits behind a long discovery,
// and so have restores, for which somebody waits after something went wrong.
const (
	TestQueue      Queue = "tests"
	DiscoveryQueue Queue = "discovery"
	SyncQueue      Queue = "sync"
	RestoreQueue   Queue = "restore"
)

// Queues lists the queues. Callers get their own copy.
func Queues() []Queue { return []Queue{TestQueue, DiscoveryQueue, SyncQueue, RestoreQueue} }

// Operation is a registered kind of provider-backed work.
type Operation struct {
	Type Type
	// Verb and Object make messages: "Sync groups of Contoso".
	Verb   string
	Object string
	// Subject is what the object is said to be of.
	Subject Subject
	// Module is the part of the product the work belongs to.
	Module     string
	Capability workspace.Capability
	Queue      Queue
	Protects   Protection
	// Dedupes says that a start identical to an unfinished one, of the same
	// connection and with the same input, makes no new run.
	Dedupes bool
	// Inputs are what a start may say beside its connection.
	Inputs []Field
	// Deadline is how long a run may take from its start until it is failed.
	Deadline time.Duration
}

// Subject is what the object of an operation is said to be of.
type Subject string

// The subjects.
const (
	// Named is the connection itself: "connection Prod AWS".
	Named Subject = "connection"
	// OfConnection is what a connection reaches: "access of Prod AWS".
	OfConnection Subject = "of connection"
	// OfTarget is the organisation: "groups of Contoso".
	OfTarget Subject = "of target"
)

// Describe names what is worked on, for messages: "groups of Contoso". Target is
// empty while it is not known; then the connection stands for it.
func (o Operation) Describe(connection, target string) string {
	name := connection
	if o.Subject == OfTarget && target != "" {
		name = target
	}
	switch {
	case name == "":
		return o.Object
	case o.Subject == Named:
		return fmt.Sprintf("%s %s", o.Object, name)
	}
	return fmt.Sprintf("%s of %s", o.Object, name)
}

// All lists the registered operations. Callers get their own copy.
func All() []Operation {
	return []Operation{
		{
			Type: ConnectionTest, Verb: "Test", Object: "connection", Subject: Named, Module: "connections",
			Capability: workspace.ManageConnections, Queue: TestQueue, Protects: ProtectsNothing, Deadline: 2 * time.Minute,
		},
		{
			Type: DiscoveryRun, Verb: "Discover", Object: "access", Subject: OfConnection, Module: "discovery",
			Capability: workspace.StartOperations, Queue: DiscoveryQueue, Protects: ProtectsConnection, Dedupes: true,
			Inputs: []Field{streamsField(), partitionsField()}, Deadline: 12 * time.Hour,
		},
		{
			Type: GroupsSync, Verb: "Sync", Object: "groups", Subject: OfTarget, Module: "directory",
			Capability: workspace.StartOperations, Queue: SyncQueue, Protects: ProtectsDirectory, Dedupes: true,
			Inputs: []Field{selectionKeyField()}, Deadline: 2 * time.Hour,
		},
		{
			Type: RoleDefinitionsSync, Verb: "Sync", Object: "role definitions", Subject: OfTarget, Module: "directory",
			Capability: workspace.StartOperations, Queue: SyncQueue, Protects: ProtectsDirectory, Dedupes: true, Deadline: time.Hour,
		},
		{
			Type: PolicyBackup, Verb: "Back up", Object: "policies", Subject: OfTarget, Module: "policies",
			Capability: workspace.StartOperations, Queue: SyncQueue, Protects: SharesPolicies, Dedupes: true, Deadline: 2 * time.Hour,
		},
		{
			Type: RestoreExecute, Verb: "Restore", Object: "policies", Subject: OfTarget, Module: "policies",
			Capability: workspace.Restore, Queue: RestoreQueue, Protects: ProtectsTarget, Dedupes: true,
			Inputs: []Field{restoreRunField()}, Deadline: 2 * time.Hour,
		},
	}
}

// Get returns the operation, or NotFound.
func Get(t Type) (Operation, error) {
	known := make([]string, 0, len(All()))
	for _, o := range All() {
		if o.Type == t {
			return o, nil
		}
		known = append(known, string(o.Type))
	}
	if near := nearest.Name(string(t), known); near != "" {
		return Operation{}, fault.New(fault.NotFound, "there is no operation %q; did you mean %s?", t, near)
	}
	return Operation{}, fault.New(fault.NotFound, "there is no operation %q; GET /v1/operations lists them", t)
}

// Package connectortest is the conformance suite that every connector passes.
//
// A connector's tests call [Run] with a [Subject]: the connector, and functions
// that make settings for a provider to test against — a simulator, a recorded
// provider, or a test tenant. The suite opens sessions, reads everything, and
// checks what the contract of package connector promises: a sound manifest, a
// stable plan, valid pages, the same records from every cursor, no silence
// about what was denied, and calls that end when they are told to. [RunFaults] holds
// connectors to the matrix of faults: a provider that refuses, expires, changes, is
// another, answers late or answers nonsense.
//
// Nothing but the contract passes through here: the suite knows no provider and
// calls none itself. It needs only the standard library, testify and a JSON
// Schema implementation, so that connectors outside this repository use it too.
package connectortest

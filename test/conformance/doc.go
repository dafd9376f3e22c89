// Package conformance holds a running Gatehouse to its OpenAPI document.
//
// docs/openapi.json is read, not repeated: from it come the requests, drawn by
// rapid from each operation's schemas and then spoilt in one or several ways, and
// from it comes what every answer is compared with, by the JSON Schema library
// that the product itself validates with. An operation that is added to the
// document is tested without a line here. What a schema cannot say, such as that
// a connection's endpoint has to be a provider that exists, is one small table
// ([knownValues]).
//
// Requests pass as two administrators of two workspaces. The ids, names and
// cursors that one of them is answered are kept in a pool, from which later
// requests take theirs; those of one are never to be seen by the other.
//
// Everything drawn follows from rapid's seed, which a failure prints, together
// with the request. How to run longer, and how to repeat a failure, is in
// docs/development.md.
//
// Nothing here knows how the product is built inside: it asks by HTTP alone.
package conformance

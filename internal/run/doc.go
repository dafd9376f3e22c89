// Package run is about starting provider-backed work and following it to its end.
//
// Every start passes the [Gate], which decides with one short transaction and
// leaves a [Run] behind, also when the answer is blocked. A worker claims a run
// and holds it by a lease; each of its calls carries a [Fence], which the store
// checks in the same transaction as what the call changes, so that a worker
// that was replaced can change nothing. A run ends once.
//
// The package decides nothing about providers and never sees a credential. What
// a discovery read goes into the graph by package graph.
package run

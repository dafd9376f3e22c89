// Package model compares gate, leases, ingest and publishing with a model of them
// that is small enough to be believed.
//
// A state machine draws what may happen: starts, claims, batches, endings, expired
// leases, cancellations, sweeps, changed connections, and at any of these calls a
// commit that is lost, a commit that lands although its caller sees a failure, or
// a backend that is terminated in the midst of a statement. It makes the calls on
// the stores of the discovery service, which work on a real database over a wire
// that can break, says itself what has to come of them, and compares after each
// step. Each invariant has its name in the list of invariants and a test of that
// name; planted breaks show that the machine finds them.
//
// Histories of clients that work at the same time are checked for
// linearizability: whether some order of the calls, each at one moment between
// its beginning and its end, explains all answers.
//
// Time does not pass here: a lease ends, or a deadline is over, because the
// database is told so.
package model

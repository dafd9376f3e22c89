// Package workerapi is what a worker and the platform say to each other: paths,
// messages, and the form of a batch.
//
// A worker claims a run, fetches its configuration once, sends what the
// connector reads as numbered batches, and finishes. After the claim every call
// carries the run-scoped token and the lease; an answer of 409 means that the
// run is no longer this worker's. The package only describes the messages:
// internal/worker speaks them on one side, internal/api/worker on the other.
package workerapi

// Package operation serves /v1/operations: what may be started, and the one way
// to start it.
//
// The answer of a start is derived from the gate's result and nothing else, so
// that every surface says the same.
package operation

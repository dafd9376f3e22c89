// Package run serves /v1/runs: what was started, how far it is, how it ended.
//
// It translates between HTTP and the use cases of internal/run and decides
// nothing itself.
package run

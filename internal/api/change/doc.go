// Package change serves /v1/changes: what publications changed in the access
// graph.
//
// It translates between HTTP and the use case of internal/graph and decides
// nothing itself.
package change

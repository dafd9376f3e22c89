// Package entity serves /v1/entities: the nodes of the access graph as they are
// now, or were at a moment.
//
// It translates between HTTP and the use cases of internal/graph and decides
// nothing itself. Package api/access names entities in its answers by this
// package's [Ref].
package entity

// Package workspace is about who may do what where: workspaces, their members,
// API keys, roles and capabilities.
//
// A request's key becomes a [Caller]; use cases of every other package ask the
// caller for a [Capability] and never for a role. The one table that says which
// role has which capability is in capability.go. Keys are shown once and stored
// only as hashes. The package never sees another workspace than the caller's.
package workspace

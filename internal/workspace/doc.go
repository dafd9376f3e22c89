// Package workspace is about who may do what where: workspaces, people and API
// keys as their members, roles and capabilities, and the tenant level above.
//
// A request's key or session becomes a [Caller]; use cases of every other package
// ask the caller for a [Capability] and never for a role. The one table that says
// which role has which capability is in capability.go. A session is of a person,
// who may be a member of several workspaces; which one a request works in is
// named by the request and looked up anew each time, so that ending a membership
// ends it at once.
//
// Keys and session tokens are shown once and stored only as hashes. The package
// never sees another workspace than the caller's, with two exceptions that are
// recorded: signing in, which asks where the person belongs, and the use cases of
// tenant administrators in tenant.go.
package workspace

// Package azure is a simulated Entra ID tenant with its Azure subscriptions, on
// loopback. One address serves three providers' protocols: the token endpoint
// of the Microsoft identity platform, Microsoft Graph (v1.0 and beta), and
// Azure Resource Manager. It answers from the estate of package estate.
//
// A request passes, in this order: the route, the access token, the faults
// that were asked for, the caller's permissions, the operation. It never
// changes the estate, never talks to the network, and knows nothing of any
// client: what it answers follows Microsoft's public documentation and nothing
// else.
//
// What follows which documentation:
//
//   - tokens: "Microsoft identity platform and the OAuth 2.0 client credentials
//     flow", "certificate credentials", "error codes" (AADSTS…)
//   - Graph: the REST reference of each resource; "Paging Microsoft Graph
//     data", "Combine multiple HTTP requests using JSON batching", "Microsoft
//     Graph throttling guidance" and its service-specific limits, "Microsoft
//     Graph error responses", "Permissions reference"
//   - Resource Manager: "Role Assignments", "Role Definitions", "Deny
//     Assignments", "Management Groups", "Subscriptions", "Resource Groups" of
//     the REST reference; "How Azure Resource Manager throttles requests"
//
// Where Microsoft leaves a choice, the simulator takes the one that trips
// careless clients: the second page of a list is empty and has a next link,
// answers of a batch come in another order than its requests, v1.0 leaves
// service principals out of members and owners, members of a type that the
// caller may not read have a type and an id alone, /users has few properties
// unless they are selected, and Resource Manager writes resource groups in
// other letters than the list of them.
//
// Known differences: access tokens are signed with a key of the simulator's
// own; only the operations that tell who can reach what are there.
//
// The simulator's own interface is under /_simulator/ on the same address; see
// the control.go file and type Fault.
package azure

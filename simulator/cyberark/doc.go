// Package cyberark is a simulated CyberArk Identity tenant on loopback. It answers
// from the estate of package estate: tokens, queries over tables, members of roles,
// administrative rights, and who may launch which application.
//
// A request passes, in this order: the route, the access token, the faults that were
// asked for, the scope of the token, the rights of the caller, the operation. It
// never talks to the network and knows nothing of any client: what it answers
// follows CyberArk's public documentation, and where that is silent CyberArk's own
// SDK (idsec-sdk-golang, Apache-2.0) and what users of the API have published.
//
// What follows which documentation:
//
//   - tokens: "OAuth 2.0 Client Credentials Flow" and "API scopes" of the Identity
//     developer pages; the platform token of "Create an API token"
//   - queries: "Use Queries" and "Data Dictionary" (User, DSUsers, DSGroups, Role,
//     Application)
//   - roles, rights, applications: "Roles", "UserMgmt", "Acl" of the API reference;
//     bits and paths of the SDK
//
// Where CyberArk leaves a choice, the simulator takes the one that trips careless
// clients: what the caller has no right to see is left out without a word, errors
// come with status 200, rows without an ORDER BY come in another order each time,
// members of roles are not paged whatever is asked, the role Everybody has no
// members, dates are /Date(…)/, grants are signed, and an unknown path is answered
// with the sign-in page.
//
// Known differences: the text and ids of messages are the simulator's own; of SQL it
// knows as much as lists take. Only the operations that tell who can reach what are
// there.
//
// The simulator's own interface is under /_simulator/ on the same address; see
// the control.go file and type Fault.
package cyberark

// Package workspace serves /v1/workspaces, /v1/members and /v1/api-keys: who
// works where, and with which role.
//
// An API key is in exactly one answer, the one that created it. Everything here
// is about the caller's own workspace; any other one does not exist for it.
package workspace

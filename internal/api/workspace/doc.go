// Package workspace serves /v1/workspaces, /v1/members, /v1/invitations,
// /v1/claim-mappings, /v1/api-keys, /v1/sessions and /v1/tenant: who works where,
// with which role, and how they get in.
//
// An API key is in exactly one answer, the one that created it, and so is a
// session's token. Everything is about the workspace that the request works in,
// and any other one does not exist for it; what is below /v1/tenant is for tenant
// administrators and names the workspace that it acts on.
package workspace

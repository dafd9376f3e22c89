// Package azure reads who can reach what from a Microsoft Entra ID tenant and
// the Azure subscriptions that trust it.
//
// What passes through it: a connection's credentials, which become access
// tokens for Microsoft Graph and Azure Resource Manager and never leave the
// session; users, groups, applications, roles and consents from Graph;
// management groups, subscriptions, role definitions, role and deny
// assignments from Resource Manager; and records of the canonical vocabulary.
//
// Tokens are had by azidentity, whose flows (certificates, workload and
// managed identities) are long; the two APIs are called by hand over net/http,
// because Microsoft's Graph SDK is larger than everything else of Gatehouse
// together. Every call but those that find the worker's own identity goes
// through the session's HTTP client.
//
// It never changes anything at Microsoft, never follows a next link to another
// host than the one that gave it, and passes on no text of Microsoft's.
package azure

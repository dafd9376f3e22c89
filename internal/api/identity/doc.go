// Package identity serves /v1/identities: which principals are one, why, and how
// administrators correct it; and /v1/identity-sources, whose unverified
// identifiers are believed.
//
// It translates between HTTP and the use cases of internal/identity and decides
// nothing itself.
package identity

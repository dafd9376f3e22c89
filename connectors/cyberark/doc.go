// Package cyberark reads who can reach what in a CyberArk Identity tenant: users of
// all its directories, roles within roles, administrative rights, and who may launch
// which web application.
//
// What passes through it: a connection's credentials, which become access tokens and
// never leave the session; rows of the tenant's tables, members of roles and grants
// on applications; and records of the canonical vocabulary.
//
// The API is called by hand over net/http. What it does follows CyberArk's pages "Use
// Queries", "Data Dictionary", "OAuth 2.0 Client Credentials Flow" and API reference,
// and where these are silent CyberArk's own SDK (idsec-sdk-golang). The connector's
// page lists what is uncertain.
//
// CyberArk leaves out what the caller has no right to see, without a word and with
// success. So nothing that is read is called complete unless the session knows from
// the tenant that it has the right to all of it.
//
// The package never changes anything at CyberArk, and passes on no text of CyberArk's,
// which may hold names of users.
package cyberark

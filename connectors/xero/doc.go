// Package xero reads who has access to organisations at Xero, and with which role.
//
// What passes through it: a refresh token that the platform keeps and Xero replaces
// at each use, or the secret of a custom connection; access tokens, which never leave
// the session; the organisations that the app is connected to; their users; and
// records of the canonical vocabulary.
//
// It never changes anything at Xero, never stores a token, and passes on no text of
// Xero's.
package xero

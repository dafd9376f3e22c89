// Package xero simulates the accounting organisations of a made-up company at Xero:
// the token endpoint with single-use refresh tokens, /connections, and the accounting
// API's Organisation and Users.
//
// It is built from Xero's published OpenAPI documents and developer pages, and the
// people are those of simulator/enterprise. What passes through it are the requests
// of a client under test; it keeps the tokens that it gave out and counts of calls.
// It never speaks of anything but loopback and made-up names, and it imports nothing
// of the connectors it is to test.
package xero

// Package pgcrypto wraps data keys inside PostgreSQL, with pgp_sym_encrypt and
// AES-256 under a passphrase from a file. It is for estates that demand that
// the database encrypts.
//
// Data key and passphrase pass through it to the database server at every wrap
// and unwrap, and that is its weakness: whoever controls the server sees both,
// and so can a log of statements with their parameters
// (log_statement, log_min_duration_statement, auto_explain). OpenPGP's own check
// is SHA-1, leaves its framing open and covers nothing beside the message, so an
// HMAC-SHA-256 of message and binding, made here, is kept in front of it. A file
// or a key service is the better choice where there is one.
//
// The package knows no database: whoever composes it gives it [Functions]. The
// passphrase is held in memory and is in no error.
package pgcrypto

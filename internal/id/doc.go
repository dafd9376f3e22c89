// Package id gives every kind of row its own Go type of identifier, so that
// the id of one kind cannot be passed where another kind is wanted.
//
// In the database an identifier is a bigint identity key; in the public API it
// is that number behind the prefix of its kind, as in conn_123. Domain types
// carry an [ID]; the api packages print and parse it; the postgres package
// stores the number.
//
// The package knows no kinds itself, keeps no registry of them and never makes
// up an identifier: the database does.
package id

// Package licence is what a tenant may use: which integrations, how many
// workspaces and connections, and until when.
//
// A licence is a signed text (see [Sign] for its form), made by whoever sells
// the product and installed by a tenant admin. A data plane trusts the keys that
// its provisioner gave it. The last licence installed is in force; how it stands
// is decided anew each time it is asked for, by the database's clock ([Standing]).
// Without any, the built-in licence allows everything.
//
// A licence only ever stands in the way of something new: a connection, a
// workspace, a start. Nothing in this package hides, changes or deletes what is
// there, and nothing in it keeps a private key.
package licence

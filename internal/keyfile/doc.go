// Package keyfile keeps a secret of a fixed size in a file of this machine:
// exactly that many bytes, mode 0400.
//
// A file is read only when nobody but its owner may read it and nobody may write
// it. A new one appears whole or not at all, survives a power failure, and never
// replaces another. The package neither knows what a secret is for nor says
// anything of it in an error.
package keyfile

// Package seal encrypts credentials for the database: envelope encryption with
// a fresh AES-256-GCM data key for every write.
//
// A [Sealer] encrypts a plaintext under a new data key and has that key wrapped
// by the one [KeyWrapper] selected for writing; an [Opener] reverses it with
// whichever of its wrappers the record names. The [Binding] says which row a
// credential belongs to, and a record that was moved to another row or altered
// in any bit does not open. [Local] is the wrapper that needs no service: its
// key is a file.
//
// Only the 32-byte data key ever reaches a wrapper, so that no key service
// sees a credential or has to be trusted with the binding. The package stores
// nothing and knows no database; its errors carry neither key nor plaintext.
package seal

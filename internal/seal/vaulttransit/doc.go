// Package vaulttransit wraps data keys with a key of HashiCorp Vault's transit
// secrets engine, or of OpenBao's, which speaks the same.
//
// Data keys pass through it to Vault and back: one call of encrypt for each
// wrap, one of decrypt for each unwrap, with the binding as associated_data.
// The key has to be of a type that authenticates such data: aes128-gcm96,
// aes256-gcm96 (the default) or chacha20-poly1305. Versions of the key are
// Vault's own business: what is wrapped names its version.
//
// The package never makes or rotates a key and never logs in: it uses a token
// from the environment or from a file that Vault Agent keeps fresh.
package vaulttransit

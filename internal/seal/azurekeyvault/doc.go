// Package azurekeyvault wraps data keys with an RSA key of Azure Key Vault or
// of a Managed HSM.
//
// Data keys pass through it to the vault and back: one call of wrapKey for
// each wrap, one of unwrapKey for each unwrap, by RSA-OAEP-256. RSA
// authenticates nothing beside what it encrypts, so a digest of the binding is
// wrapped behind the data key. The key is named with its version, because a
// wrapped key does not say by which version it was made.
//
// The package never makes or rotates a key, and never passes on what the vault
// says in its own words.
package azurekeyvault

// Package gcpkms wraps data keys with a symmetric key of Google Cloud Key
// Management Service.
//
// Data keys pass through it to Cloud KMS and back: one call of encrypt for each
// wrap, one of decrypt for each unwrap, by the REST API v1, with the binding as
// additional authenticated data. Checksums go with every value, as Google
// recommends: what a proxy or a broken machine changed on the way is noticed
// before it is stored. Versions of the key are Cloud KMS's own business.
//
// The package never makes or rotates a key, and never passes on what Cloud KMS
// says in its own words. It is written on the REST API because two calls do not
// justify gRPC and what it brings.
package gcpkms

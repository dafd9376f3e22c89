// Package awskms wraps data keys with a symmetric key of AWS Key Management
// Service.
//
// Data keys pass through it to KMS and back: one call of Encrypt for each
// wrap, one of Decrypt for each unwrap, each with the key's ARN and an
// encryption context of opaque ids, without which KMS does not decrypt. KMS
// writes the context to CloudTrail. The key itself never leaves KMS.
//
// The package never makes, schedules or deletes a key, never retries beyond
// what the SDK does, and never passes on what KMS says in its own words.
package awskms

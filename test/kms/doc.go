// Package kms is a key service for tests and benchmarks: the two operations of
// AWS KMS that a data key needs, over its JSON protocol, on loopback.
//
// It is written from the documentation of Encrypt and Decrypt and of their
// errors, counts calls, and can be told to refuse, to fail and to be slow. It
// has no signatures, no policies and no keys beyond those that a test makes,
// and knows nothing of Gatehouse. moto_server, which we did not write, is the
// other implementation that the wrapper is tried on.
package kms

// Package keyspec reads how an operator names a key-encryption key in a
// setting: "local:/etc/gatehouse/local.key", or
// "awskms:arn:aws:kms:eu-west-1:111122223333:key/…?endpoint=https://…".
//
// A text comes in; the kind of key, its name and its options go out. The
// package opens no key and knows none of the kinds beyond their names. A
// setting never holds a secret: it names files and environment variables that
// do.
package keyspec

// Package canary finds secrets in what programs have written.
//
// A [Scanner] is made for secrets that were given to a program, and looks for
// each in contents of any kind: as it is, as JSON, Go, HTML and URLs write it,
// in hexadecimal, in base64 wherever within the encoded text it begins, and the
// same within what gzip, zlib or zstd have compressed, wherever that begins.
//
// It finds no part of a secret, nothing encrypted, and no secret that was
// encoded twice, unless compression is one of the two.
package canary

// Package nearest finds the name that a mistyped one was probably meant to be,
// for messages that say "did you mean".
//
// It is given the names that exist and answers with one of them or with none.
// It knows nothing of what the names stand for and never repeats a value.
package nearest

// Package archtest holds the source tree to its architecture: which package may
// import which, no init functions, no package without a doc.go, no catch-all
// package names, no file too long to read in one sitting.
//
// What passes through: a directory with a Go module comes in, a list of
// violations goes out. rules.go is the table to read and to change when the
// architecture changes; a package that no rule covers is itself a violation.
//
// It reads source text only: it compiles nothing, and holds for every operating
// system's files at once. Imports of test files are not checked, since a test
// may bring together what the product keeps apart.
package archtest

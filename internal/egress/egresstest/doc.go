// Package egresstest is a resolver for tests of what goes out: names have the
// addresses that a test gives them, and may have others a moment later.
//
// It asks no resolver of the machine's and is in no program.
package egresstest

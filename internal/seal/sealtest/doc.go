// Package sealtest is the suite that every key wrapper passes: what the
// contract of seal.KeyWrapper says, tried on a real implementation.
//
// A test hands it a wrapper that reaches its key. The package knows no kind of
// wrapper and starts nothing.
package sealtest

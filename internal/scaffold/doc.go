// Package scaffold writes a connector to begin with, in Go or in Python, into a folder:
// one that reads a made-up door controller, the controller, and what `gatehouse
// connector verify` tries it with. What is written builds and runs without a network.
//
// The Go one is the package in the folder golang, which is compiled and tested with the
// rest, with the source of the contract beside it; the Python one is the folder python.
// Nothing is overwritten, and nothing but the named folder is touched.
package scaffold

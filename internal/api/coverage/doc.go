// Package coverage is how answers about the access graph say what they rest on:
// which moment they show, and how completely it was looked.
//
// Every operation that answers from the graph puts a [Basis] into its answer,
// because "nobody" and "we did not look" are different answers.
package coverage

// Package identifier says when two identifiers of principals are the same, and
// which may join principals of different systems into one identity.
//
// Through it passes one connector.Identifier at a time, on its way into staging
// or in a question; out comes its [Form]. The rules err on the side of keeping
// apart: who is not joined can be joined by hand, while a wrong join shows
// somebody's access as somebody else's.
//
// It knows no principals and decides nothing about how many share a value: that
// takes the whole workspace, and is internal/identity's.
package identifier

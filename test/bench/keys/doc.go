// Package keys measures what protects credentials: sealing and opening beside
// the cipher alone, calls of a key service, and a rewrap of many credentials by
// a process that is killed again and again.
//
// Sizes come in, durations and counts go out. It judges nothing and prints
// nothing.
package keys

// Package fault gives errors a kind and a message that may be shown.
//
// Domain code returns a [*Error] where a caller outside may be told what went
// wrong; every other error is internal and its text stays inside. Each
// transport maps kinds to its own terms in one table (HTTP statuses, exit
// codes, retries). The package imports only the standard library and never
// decides what is retried or logged.
package fault

// Package shares divides work on many independent items among a few goroutines.
//
// It is for work that takes the processor, such as decoding and hashing the
// records of a batch while a worker waits for its answer; what waits for others
// has no use for it.
package shares

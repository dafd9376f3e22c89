// Command benchworker is a worker like `gatehouse worker`, with the generating
// connector instead of the product's. It is a process of its own, so that its
// memory and processor time are a worker's and nobody else's.
package main

// Command breakingworker is a worker like `gatehouse worker` whose AWS connector
// breaks the contract in one stream, in the way that a flag names. Everything
// else is the product's own. A story runs it to show that such a stream fails
// alone and that the graph keeps what it had.
package main

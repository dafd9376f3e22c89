// Command connector reads from a door controller who may open which door. It is what
// `gatehouse connector init --language go` makes; put your provider in its place.
//
// connector.go says what the connector is and reads, read.go how, and provider.go
// speaks to the provider. The sample folder is a small controller to try it on. What
// comes in are the lines of Gatehouse on standard input, what goes out the lines that
// answer them; package connector/wire does both.
package main

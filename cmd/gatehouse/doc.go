// Command gatehouse is the whole of Gatehouse: every service, the worker, the
// demo, and the command line to use a server with. `gatehouse --help` begins the
// tour.
//
// What the commands are is in internal/cli, what they run in internal/app; this
// package ties the two together and holds nothing else.
package main

// Package process turns a program that speaks the protocol of connector/wire into a
// [connector.Connector], exactly as one that is compiled in.
//
// A [Program] names the executable with its pinned hash, and has the manifest that it
// described itself with. Opening it starts a process in a sandbox (package
// internal/sandbox), one for each session; calls of the session become lines to it,
// and its lines become results, pages for the sink, questions to the budget and
// records for the log. Its way to the provider is an HTTP proxy that dials with the
// session's own client, and so under the worker's rules on addresses.
//
// Whatever the process does wrong ends the call with an error that says so: a line
// that is no message, or too long; an answer to what was not asked; silence; a flood;
// an end in the middle. It is then killed with everything that it has started, and
// the next call of the session begins with a new one. The configuration goes to
// standard input and nowhere else. Nothing is retried here, and nothing is kept
// between sessions.
package process

// Package auditsink sends the sealed audit log on, as it grows: to a file, to
// standard output, or to a webhook of another system.
//
// A [Forwarder] reads what one sink has not received yet, hands it over in the
// order of the log, and then moves the sink's position in the database: each event
// arrives at least once, and after a failure again. Events of a workspace arrive
// in order; the order between workspaces is not kept. A sink that is down is asked
// again, ever more rarely, and nothing else waits for it: it reads a log that is
// written without it.
//
// Webhooks are signed as Standard Webhooks asks and go through package egress.
// The package never logs an event, a secret, or an address with its query.
package auditsink

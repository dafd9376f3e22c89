// Package story tells, as tests, what people do with Gatehouse from beginning to
// end: the built binary runs as processes of its own, commands are called as a
// shell would call them, and answers are compared with what the provider is
// known to hold.
//
// Each test owns its environment: a `gatehouse dev`, or a PostgreSQL server with
// the services as separate processes. Stories that harm nothing but their own
// connection share one. The provider is the simulated AWS organisation, in the
// test's process so that it can be made to fail on request, or moto_server,
// which knows nothing of ours. For what no provider can make the product's
// connector do, one story runs cmd/breakingworker in the place of a worker.
//
// Nothing here replaces a service by a double, waits for a fixed time, or judges
// how fast something was. Where a story must not wait for a lease to run out or
// for a round that comes once a minute, it brings that forward in the database.
package story

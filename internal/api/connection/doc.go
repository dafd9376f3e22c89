// Package connection serves /v1/connections: create, read, change, delete and
// test a workspace's connections.
//
// Secrets come in with a configuration and never go out: answers show the
// readable half alone. A test is not made here; it passes the gate in the
// discovery service like every other operation, through the port [Tester].
package connection

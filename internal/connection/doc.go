// Package connection is a workspace's installations of integrations: their
// configuration, scope, schedule and health.
//
// A configuration comes in whole, is checked against the integration's schema
// and goes out in halves: the readable one stays in the connection, the secret
// one is sealed and only this package's [Vault] use case opens it again, for the
// run that needs it. Tests and discoveries are not done here; they pass the
// gate in package run like every other operation.
package connection

// Package onboarding is about sessions: a way through connecting a provider that
// is kept by the server, so that it can be left and taken up again.
//
// A [Session] goes from an integration over a connection and its verification to
// the bootstrap, in which the chosen operations start one after the other: the
// next one when the one before has ended. Every start passes the gate, and the
// session notes it in the transaction that admits it, so that an operation is
// started once whatever process dies, and however many advance the session.
// People act through the [Service]; the [Keeper] advances what nobody waits for.
//
// A session never holds a configuration or a credential: connections are made by
// the integrations service, and the session names one.
package onboarding

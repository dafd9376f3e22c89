// Package egress makes outbound HTTP to addresses that a user supplied, such as
// a connection's endpoint URL, unable to reach what lies behind the worker.
//
// Connectors get an *http.Client of [NewClient] on a transport of [NewTransport]. Every connection it
// makes, also for a redirect, passes two checks: the host name against the
// [Policy]'s allow-list, and, after the name was resolved and before the socket
// connects, the very address against the special-purpose address registries. A
// name that resolves differently the second time therefore gains nothing. What
// is refused is a [BlockedError].
//
// The package never resolves names itself, never uses a proxy (a proxy would
// resolve the name out of its sight) and does not inspect what is sent.
package egress

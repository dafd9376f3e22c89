// Package client calls a Gatehouse server's /v1 API over HTTP.
//
// A [Client] knows one server and one API key. Every call returns what the
// server answered, decoded and byte for byte: programs read the one, and
// `gatehouse -o json` prints the other. A refusal comes back as a [*Problem]
// (RFC 9457), a server that cannot be reached as an [*Unreachable].
//
// The package never prints, never retries and never follows a redirect: the key
// goes to the address that was named and nowhere else. It knows nothing of the
// domain packages.
package client

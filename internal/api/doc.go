// Package api holds what the HTTP operations of every noun share: the huma API
// they are mounted on, who is calling, problems, ids and pages.
//
// A request passes [Wrap] (request id, log line, metrics, security headers,
// recovery from panics), then the authentication that [New] installs, then the
// operation that a package api/<noun> registered with [Register]. An error that
// an operation returns becomes an RFC 9457 problem here and nowhere else; a
// refused attempt is recorded here as an audit event.
//
// The package never logs or answers with a request body, an Authorization
// header or the value of a field that was refused: each may hold a secret.
package api

// Package rest calls the JSON APIs of providers on behalf of a connector, and says in
// the contract's terms why a call failed.
//
// A connector's requests pass through a [Client]: it asks the session's budget,
// carries the access token and has it renewed once when it is refused, bounds time
// and size of the answer, and tells the budget of answers that refuse a call because
// of its rate. [ClientCredentials] gets tokens by OAuth 2.0, [Pages] reads lists, and
// [API] words the errors, with what people can check.
//
// The package never tries a call again that the provider limited or did not answer:
// that is the runtime's work, which keeps the lease meanwhile. It never passes on
// the provider's own text, which may repeat a secret. Where the provider's SDK makes
// the calls, [ReadBody] and [API] serve alone.
package rest

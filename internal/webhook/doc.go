// Package webhook tells other systems of events in a workspace, by the rules of
// Standard Webhooks: endpoints that a workspace's admins set up, the secrets that
// deliveries are signed with, and deliveries with their retries.
//
// An event is written in the transaction of what it tells of, together with a
// delivery for each endpoint that asked for its type; that is the queue, and
// [Deliverer] works on it. Every event arrives at least once, in no promised
// order, and under the same id each time. Ids, names and codes pass through
// the package, never a secret of a connection nor what was read from a provider.
//
// A secret is readable in one place, where a delivery is signed. What an endpoint
// answers is neither kept nor shown, beside its status.
package webhook

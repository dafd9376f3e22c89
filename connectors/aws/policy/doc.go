// Package policy reads AWS's JSON policy language and decides requests by it:
// whether AWS would let a request pass, not whether a policy mentions it.
//
// What passes through: policy texts come in through [Parse], which refuses
// what AWS would not have stored. A [Request] and the [Layers] of policies
// that bear on it go into [Evaluate], and a [Verdict] comes out: allowed,
// denied, or depending on something that is not known, with the statements
// that decided, layer by layer.
//
// What is not known stays not known: logic has three values ([Truth]), and a
// verdict is definite only when it is the same whatever the unknown turns out
// to be. What AWS's documentation leaves open counts as not known, too.
//
// The rules are those of the IAM user guide: "Policy evaluation logic", "IAM
// JSON policy element reference" and "Grammar of the IAM JSON policy
// language". docs/effective-access.md lists them with their sources.
//
// The package imports the standard library alone, calls nobody and keeps
// nothing. It knows nothing of the graph, and nothing of the simulator, which
// has an evaluator of its own so that each can check the other.
package policy

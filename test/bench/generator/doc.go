// Package generator is a connector without a provider: it makes the records of
// an invented estate in the worker, behind the contract, as fast as it can. The
// benchmarks use it to measure everything after a provider's answer.
//
// The estate is like a cloud organisation's: accounts in boundaries, groups
// nested in trees of 64, policies attached to groups, grants with actions on
// resources; one group that everybody is in and one administrator who reaches a
// fifth of everything. The same configuration gives the same records. It is no
// part of the product and in no binary of it.
package generator

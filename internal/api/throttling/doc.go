// Package throttling serves /v1/throttle-budgets, how the budgets stand that a
// workspace's connections take part in, and /v1/throttle-limits, what they allow.
//
// It never shows who else takes part in a budget.
package throttling

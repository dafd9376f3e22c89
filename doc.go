// Package gatehouse holds the source of the contract for connectors, so that
// `gatehouse connector init` can put it beside a connector that it makes, which then
// builds without anything being fetched.
//
// It has no code. Whoever writes a connector imports package connector; the program is
// cmd/gatehouse.
package gatehouse

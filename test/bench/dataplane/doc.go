// Package dataplane sets up what the benchmarks measure: a PostgreSQL server
// with the settings of production, the services a worker talks to behind a real
// listener, and one connection of the generating connector.
//
// It composes the same parts as internal/app, with a catalog that holds the
// generator instead of the product's connectors, and without the parts that no
// measurement passes through.
package dataplane

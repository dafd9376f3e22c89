// Package records brings what a provider shows into the form of the contract: pages
// of the right size and weight, cursors that another process can continue from, and
// names and attributes within the contract's limits.
//
// What a stream reads passes through a [Writer], which gathers it into pages and
// hands them to the run's [connector.Sink]; [Place] is what the Writer's cursors
// hold. [Attributes] and [Name] bound single values.
//
// The package calls no provider, decides nothing of what a record means, and never
// leaves a record out: what does not fit into a page goes into the next one. It
// imports only the standard library and connector, for connectors in and out of
// this repository.
package records

// Package connector is the contract between provider-specific code and
// Gatehouse, version 1.
//
// A connector describes itself with a [Manifest], is opened with a connection's
// configuration, and then answers three questions through its [Session]: do
// these credentials work and what do they reach (Check), what will be read
// (Plan), and what is there (Read). It returns entities and relationships in
// the canonical vocabulary; everything provider-specific stays behind this
// boundary.
//
// Data flows one way: provider → Session.Read → [Page] → [Sink]. A connector
// never talks to the platform, never stores a credential (one that its provider
// replaces it exchanges through [Credentials]), and never decides that something is gone: it only says how completely it looked. Retrying,
// back-off and honouring Retry-After belong to the runtime that calls it.
//
// The package imports only the standard library, so a connector can be written
// without taking in the platform. A change to it needs a decision record in
// docs/decisions and a new [ContractVersion].
package connector

// ContractVersion names the contract this package describes. A manifest states
// the version it was written for; the platform refuses one it does not know.
const ContractVersion = "1"

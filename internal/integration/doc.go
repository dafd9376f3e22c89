// Package integration is the catalog: the immutable description of every
// connector version this deployment has.
//
// Descriptions come from connectors' manifests and are read by everyone; what a
// configuration or scope must look like is decided here, by the manifest's own
// JSON Schema. Nothing in this package knows a particular provider.
package integration

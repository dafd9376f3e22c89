// Package integration serves the catalog: /v1/integrations.
//
// It shows what connectors say of themselves, to every role that may read the
// workspace. Nothing in it changes anything or knows a particular provider.
package integration

// Package verify holds a connector that is a program to the contract, for whoever
// writes one: what package connector/connectortest does in Go's tests, and what only
// programs can do wrong.
//
// A program and, as [Settings], a provider to try it on come in; a [Report] goes out,
// with one [Result] for each check in sentences that say what was found and what was
// expected. Settings name an own provider that is started beside it, or a test tenant.
//
// The package changes nothing but what reading a provider changes, keeps nothing, and
// shows no configuration.
package verify

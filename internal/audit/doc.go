// Package audit is the record of significant actions: who did what, on what,
// and how it ended.
//
// A use case builds an [Event] and hands it to its store together with the
// change; the store writes both in one transaction, so that a change without
// its event, or an event without its change, cannot exist. This package never
// writes anything by itself and an event never holds a secret.
package audit

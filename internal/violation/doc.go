// Package violation says in words in what way a value breaks its JSON Schema.
//
// Violations of a validated value pass through it, and come out as the second
// half of a sentence such as "must be one of north, south". The value itself is
// never part of it: it may be a secret.
package violation

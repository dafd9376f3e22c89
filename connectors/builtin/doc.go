// Package builtin is the explicit list of the connectors that come with
// Gatehouse. What passes through it are connectors, from their packages to the
// composition root; nothing registers itself, and the package never opens a
// session.
package builtin

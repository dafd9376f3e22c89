// Package registration is the operator's list of connectors that are programs: a file
// that the services and the workers read.
//
// A [Registration] pins a program by its SHA-256 and keeps the manifest that it
// described itself with. A service takes from it what the catalog says, and never
// starts a program; a worker starts one whose hash is the registered one, and no other.
// `gatehouse connector register` is what writes the file, which holds no secret.
package registration

// Package pgserver runs a PostgreSQL server of Gatehouse's own for `gatehouse
// dev`, `gatehouse demo` and the tests: it finds the installed server
// programs, creates a cluster in one directory, starts it, and stops it.
//
// What passes through: a directory and a port come in, connection URLs go out.
// Everything the server writes (cluster, socket, log, passwords, locks) stays
// inside that directory, also when root runs it below a directory that the
// server's unprivileged account cannot enter.
//
// Three locks keep the directory safe: `gatehouse.lock` is held by the one
// process that owns the directory, `server.lock` is inherited by PostgreSQL and
// all its backends and so tells whether any of them still lives, and
// PostgreSQL's own postmaster.pid. A server that outlived a killed owner is
// therefore recognised and stopped before the next one starts.
//
// The package never downloads anything, never listens beyond 127.0.0.1, never
// touches a cluster it did not create, and knows nothing of schemas or roles.
// A production data plane uses a managed PostgreSQL through --database-url.
package pgserver

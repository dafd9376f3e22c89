// Package pgtest gives every test a real PostgreSQL database of its own.
//
// What passes through: a Kit names the migrations; Kit.New clones the migrated
// template database and hands out URLs per role; the clone is dropped when its
// test ends. The template is built once per server and per fingerprint of the
// migrations, whichever test binary comes first.
//
// The server is the one that GATEHOUSE_TEST_DATABASE_URL names. `make test` sets
// it to a server that package testserver starts for the whole run; without it a
// test binary starts one for itself and stops it in Kit.Run.
//
// What CREATE DATABASE does not copy is not in a clone either: privileges on the
// database itself (CONNECT, CREATE) and ALTER DATABASE … SET. Roles belong to
// the server and are shared by all tests: a test never alters or drops one.
package pgtest

// Package postgres keeps everything in PostgreSQL: one file per noun implements
// the stores that the domain packages ask for.
//
// Every statement on a workspace's rows runs in a transaction whose workspace is
// set ([DB.InWorkspace]); row-level security sees to it that a forgotten
// condition shows nothing rather than too much. Fixed queries are written in
// queries/*.sql and typed by sqlc; rows are mapped to domain types here, and no
// generated type leaves the package. Services connect as their own role and
// never as an owner or superuser; only [Migrate] does.
package postgres

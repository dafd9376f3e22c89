// Package cli is the command line of gatehouse: every command, its flags, its
// help and what it prints.
//
// Commands are of two sorts. Those that run a part of the platform (demo, dev,
// serve, worker, migrate, simulate) hand their options to the functions of
// [Services], which cmd/gatehouse fills in; the package does not know what is
// behind them. All others are clients of a server's /v1 API by package client,
// named by GATEHOUSE_URL and GATEHOUSE_API_KEY or by a context.
//
// What goes to standard output is the answer, as a table or as the API's own
// JSON; everything said beside it (prompts, progress, remarks, errors) goes to
// standard error. Every failure is one line that names what is wrong and the
// way out, and a status from the table in exit.go. A secret is never taken from
// an argument and never printed, but for a new API key, which is shown once.
//
// Each command is a struct in a file of its noun: its fields are the arguments
// and flags, Help its examples, Run what it does.
package cli

// Package output lays out what a command prints: tables cut to the width of the
// terminal, field lists, trees of access paths, times and JSON.
//
// Texts come from servers and, behind them, from providers, where anyone may
// choose a name; nothing leaves this package without its control characters
// taken out, so no name can move the cursor or colour the screen. The package
// never calls a server and never decides what to show.
package output

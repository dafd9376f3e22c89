// Command testserver runs a command beside a PostgreSQL server made for it:
//
//	testserver go test ./...
//
// It starts a server in a temporary directory, sets GATEHOUSE_TEST_DATABASE_URL
// for the command, passes signals on to it, stops the server when the command
// ends, removes the directory and exits with the command's code. When the
// variable is set already, the command runs on that server.
//
// It is for tests only: its server trades safety for speed.
package main

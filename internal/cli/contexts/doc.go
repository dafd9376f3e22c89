// Package contexts keeps the servers a person works with, each by a short name:
// its address, and the API key or the session for it.
//
// They are in one file in the user's configuration directory, which holds
// secrets: it is written with mode 0600 by replacing it whole, and not read
// while others may read it. The package never calls a server and never prints.
package contexts

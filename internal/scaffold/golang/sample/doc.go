// Command sample is a small door controller to try the connector on: the site, doors
// and badges that main.go holds, for whoever has one of its tokens. It prints its
// address and answers until it is ended; it keeps nothing.
package main

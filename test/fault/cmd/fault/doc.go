// Command fault runs the long form of package fault and prints what it found. It
// exits with 1 when anything was lost, doubled or stale.
package main

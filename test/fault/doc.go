// Package fault breaks a running Gatehouse in every way that it can, and then
// looks whether anything was lost, doubled, or written by somebody who no longer
// held it.
//
// Everything is real: a PostgreSQL server, the three services and several workers
// as processes of the built program, and simulated AWS organisations as providers.
// Between any two of them is a wire of package wire. While runs are started,
// cancelled and tested without a pause, faults drawn by a seed strike: processes
// are killed or stopped, backends are terminated, connections are cut or fall
// silent, answers and commits are lost, the disk fills up, providers throttle, and
// clocks are a day off.
//
// What happened is not asked of Gatehouse alone. Triggers in the database keep the
// history of each run's row and of each batch, a recorder beside the discovery
// service keeps what workers sent and what they were answered, and the graph is
// compared with that of runs without faults.
//
// [Run] is the suite. Its short form is a test of this package and brings the end
// of leases forward in the database; the long one is the command in cmd/fault,
// which waits for them. Neither changes the product or a setting of it.
package fault

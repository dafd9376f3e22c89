// Package sandbox runs a program that is not trusted with what the worker holds.
//
// A [Command] goes in, with the hash its program has to have, and a [Child] comes
// out: its standard streams, a listener that only it can reach where the system
// allows that, and a way to end it together with everything it has started. The
// program runs from a private copy whose bytes are those that were hashed, with no
// environment, no descriptors but its streams, [Limits] on processor time, memory,
// processes and files, and without any way to gain privileges. On Linux it is also in
// user, network, process and IPC namespaces of its own, where the kernel lets an
// unprivileged process make these: there it has no network but a loopback, signals no
// process but its own, and all of them end with it. What could be had is
// said in [Child.Isolation]; a caller that requires it gets an error instead.
//
// To set up what has to be set up from inside, the program that uses the package is
// started again as a step between: its main function calls [Enter] before anything
// else.
//
// The package does not read what the child writes, and knows no protocol. It does not
// hide files: what the user that the child runs as may read, the child may read, Unix
// sockets and the list of processes in /proc among it.
package sandbox

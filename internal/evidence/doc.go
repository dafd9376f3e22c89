// Package evidence is the form of a file that proves an answer to somebody who
// cannot ask the server, and the check of it.
//
// A file of evidence is lines of JSON. All but the last are the export of an answer
// in the format evidence, byte for byte as it was downloaded: question, coverage,
// rows, the edges behind each row, the runs that saw them first. The last line is
// the [Seal]: the export's manifest, the audit events that recorded the export and
// those runs, each with a Merkle inclusion proof to a signed checkpoint of the
// workspace's audit log, and the public key.
//
// [Verify] computes every hash itself and asks nobody. What it shows is that this
// server, with this key, gave this answer and recorded that it did, and that the log
// says so under the checkpoint; not that the graph was complete, which the coverage
// tells, nor that the key is the right one, for which it has to be compared with one
// that was saved. The package makes no claims of its own and signs nothing.
package evidence

// Package auditlog seals the audit record: it appends committed events to a
// Merkle tree, one per workspace, and signs what the tree holds.
//
// [Sealer] reads the events that no older transaction can precede any more,
// turns each into a [Leaf], appends it to the [Tree] and signs a [Checkpoint];
// its [Store] writes entries and checkpoint in one transaction. [Verifier] is the
// other side: it needs only what any auditor can read, computes all hashes
// itself, and says what was changed, removed or added behind the log's back.
// Tree and signatures are those of golang.org/x/mod/sumdb, which the Go checksum
// database rests on; the checkpoint's form is C2SP's tlog-checkpoint.
//
// The package never changes an event and never signs a tree that does not extend
// the one signed before.
package auditlog

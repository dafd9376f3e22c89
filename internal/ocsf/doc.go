// Package ocsf turns audit records into what security tools read: an event of the
// Open Cybersecurity Schema Framework 1.3.0 inside a CloudEvents 1.0 envelope in
// structured mode, one JSON object for each record.
//
// Records come from the sealed log; an envelope's sequence is the record's place
// in it, so whoever receives it twice or out of order can tell. The package does no
// input or output and drops nothing: what OCSF has no attribute for is under
// unmapped.
package ocsf

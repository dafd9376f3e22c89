// Package audit serves /v1/audit-events: what was done in the workspace, by
// whom, and how it ended; and /v1/audit-log: the sealed log of these events,
// with everything that an auditor needs to check it without trusting the server.
//
// It only reads. Events are written by the actions themselves, and no operation
// changes or deletes one. The export records itself before its first line.
package audit

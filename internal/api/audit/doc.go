// Package audit serves /v1/audit-events: what was done in the workspace, by
// whom, and how it ended.
//
// It only reads. Events are written by the actions themselves, and no operation
// changes or deletes one.
package audit

// Package notification is the inbox: what a member of a workspace is told of.
//
// Whoever started a run is told once when it has ended, and nobody else is; a run
// that a schedule started tells nobody. Admins are told when an endpoint for
// webhooks was switched off, and when failures have paused a schedule. Ids and codes pass through the package; the texts
// are made from the family of reasons when they are read.
//
// A member sees their own entries only, and none once they have been removed. The
// package never sends anything anywhere; that is package webhook's.
package notification

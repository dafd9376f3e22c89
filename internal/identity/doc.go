// Package identity says which principals of a workspace, of whatever connection,
// are one person or workload, why, and lets administrators correct it.
//
// Publishing a run passes the principals through [Partition] and [Assign] that
// its changes concern, and stores the result as versions; a [Service] shows
// identities and their histories, and takes joins, splits and whom to trust. Every
// correction has its audit event in its own transaction.
//
// It never joins by what a connection did not verify, unless an administrator
// trusts the connection, and never by a name. What two identifiers have to have
// in common is internal/identifier's; the reasons are in decision 0031.
package identity

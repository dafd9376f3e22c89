// Package job is background work on River, one file per kind: publishing what a
// run read, telling whom it concerns that one has ended, making the files of exports, and the rounds that sweep overdue runs and start scheduled ones.
//
// A job carries ids and nothing else; what it does is a use case of the domain.
// Jobs may run twice or late, on any of the discovery processes: each use case
// decides by the database whether there is still something to do.
package job

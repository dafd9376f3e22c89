// Package access serves /v1/access: who can reach what, and how.
//
// It translates between HTTP and the questions of internal/graph and decides
// nothing itself. Every answer says how completely what it rests on was read,
// because "nobody" and "we did not look" are different answers.
package access

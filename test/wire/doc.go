// Package wire is the network between two processes under test: a TCP relay on
// 127.0.0.1 that can be cut, stopped, slowed down, or made to lose an answer.
//
// What passes through: every byte of a connection between a client and one
// server. A relay to PostgreSQL also follows the frames of its protocol, so that
// it can lose a commit before it arrives, or its answer once it has taken effect:
// the client sees the same failure in both cases, and cannot know.
//
// It never alters a byte that it passes on, never reorders any, and knows nothing
// of what is in them beyond where a commit is.
package wire

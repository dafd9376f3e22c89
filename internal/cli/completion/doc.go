// Package completion completes command lines of gatehouse in bash, zsh and fish.
//
// The scripts that a shell loads hold no knowledge of commands: at each press of
// the tab key they ask `gatehouse __complete` with the words so far, and
// [Suggest] walks kong's model of the command line, the same that parses it. A
// field tagged complete:"kind" is completed by a [Source], which may ask a
// server. Nothing is cached, and no failure is ever shown: a tab that finds
// nothing does nothing.
package completion

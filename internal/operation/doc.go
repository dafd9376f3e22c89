// Package operation names the kinds of provider-backed work and the reasons why
// they may not start or not end well.
//
// The registry is one table in code; the reason family is another, used alike
// for starts, runs, tests and schedules. Nothing here starts anything: the gate
// in package run does.
package operation

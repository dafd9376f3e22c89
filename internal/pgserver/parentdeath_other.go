//go:build !linux

package pgserver

import "syscall"

// signalOnParentDeath does nothing: only Linux can do this. The next start
// finds and stops what was left.
func signalOnParentDeath(*syscall.SysProcAttr, syscall.Signal) {}

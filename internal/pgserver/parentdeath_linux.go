package pgserver

import "syscall"

// signalOnParentDeath has the kernel send sig to the child when its parent dies.
func signalOnParentDeath(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }

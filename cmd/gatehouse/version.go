package main

import "runtime/debug"

// version is set by the linker (see the Makefile).
var version string

// versionText returns the version that was linked in or, where none was, what
// the Go tool knows of the module.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

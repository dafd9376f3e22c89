package pgserver

import (
	"fmt"
	"strings"
)

// MinimumMajor is the oldest PostgreSQL that Gatehouse supports.
const MinimumMajor = 15

// NotInstalledError reports that no usable PostgreSQL server is installed.
type NotInstalledError struct {
	// Major is the version that an existing cluster needs; 0 when any version
	// from MinimumMajor on would do.
	Major int
	// Searched lists the directories that were looked into.
	Searched []string
}

func (e *NotInstalledError) Error() string {
	wanted, debian := fmt.Sprintf("PostgreSQL %d or newer", MinimumMajor), "postgresql"
	if e.Major != 0 {
		wanted = fmt.Sprintf("PostgreSQL %d, which wrote this data directory,", e.Major)
		debian = fmt.Sprintf("postgresql-%d", e.Major)
	}
	return fmt.Sprintf("%s is not installed (looked for initdb and postgres in %s): "+
		"install it (Debian, Ubuntu: apt-get install %s; macOS: brew install postgresql), "+
		"or use an existing server with --database-url",
		wanted, strings.Join(e.Searched, ", "), debian)
}

// InUseError reports that another live process owns the data directory.
type InUseError struct {
	DataDir string
	// PID is the owner's process id, 0 when it could not be read.
	PID int
}

func (e *InUseError) Error() string {
	owner := "another process"
	if e.PID != 0 {
		owner = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the database in %s is in use by %s: stop it, or choose another data directory", e.DataDir, owner)
}

// ForeignDirectoryError reports that the chosen directory holds files that are
// not a PostgreSQL directory of Gatehouse's. Nothing in it was changed.
type ForeignDirectoryError struct {
	DataDir string
	// Found is the name of one file that does not belong there.
	Found string
}

func (e *ForeignDirectoryError) Error() string {
	return fmt.Sprintf("%s is not a database directory of Gatehouse (it holds %s): choose an empty or a new directory", e.DataDir, e.Found)
}

// ExitedError reports that PostgreSQL ended before it accepted connections.
type ExitedError struct {
	// Cause is how the process ended.
	Cause error
	// Log is the end of the server's log.
	Log string
}

func (e *ExitedError) Error() string {
	return fmt.Sprintf("PostgreSQL ended while starting (%v); its log ends with:\n%s", e.Cause, e.Log)
}

func (e *ExitedError) Unwrap() error { return e.Cause }

package sandbox

import (
	"fmt"
	"time"
)

// Limits are what a child may use. Each process of the child has those on time,
// memory and files; Processes bounds how many there are. They are kept on Linux alone.
type Limits struct {
	// CPU is processor time, at least a second.
	CPU time.Duration `json:"cpu"`
	// Memory bounds private writable memory, in bytes.
	Memory uint64 `json:"memory"`
	// Processes bounds processes and threads together, where the child has a user
	// namespace of its own.
	Processes uint64 `json:"processes"`
	// Files bounds open files, and FileBytes what may be written to one.
	Files     uint64 `json:"files"`
	FileBytes uint64 `json:"file_bytes"`
}

// DefaultLimits are enough for a connector that holds a few pages.
func DefaultLimits() Limits {
	return Limits{CPU: time.Hour, Memory: 1 << 30, Processes: 64, Files: 256, FileBytes: 64 << 20}
}

// Validate says what is wrong with limits.
func (l Limits) Validate() error {
	switch {
	case l.CPU < time.Second:
		return fmt.Errorf("the limit of processor time is %s, less than a second", l.CPU)
	case l.Memory < 32<<20:
		return fmt.Errorf("the limit of memory is %d bytes, less than 32 MiB", l.Memory)
	case l.Processes < 1:
		return fmt.Errorf("the limit of processes is 0, and the program is one")
	case l.Files < 16:
		return fmt.Errorf("the limit of open files is %d, less than 16", l.Files)
	}
	return nil
}

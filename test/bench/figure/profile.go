package figure

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// Profile writes a profile of this process's processor time to a file until end
// is called, which may be done once.
func Profile(path string) (end func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("start the profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

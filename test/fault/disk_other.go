//go:build !linux

package fault

import "errors"

type disk struct{ dir string }

func mountDisk(string, int64) (*disk, error) {
	return nil, errors.New("a disk of its own can be mounted on Linux only")
}

func (*disk) unmount() error { return nil }
func (*disk) fill() error    { return nil }
func (*disk) free() error    { return nil }

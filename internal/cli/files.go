package cli

import (
	"errors"
	"io/fs"
)

// unreadable makes a mistake in the command line of a file that it names and that
// cannot be read. What is the flag or argument.
func unreadable(what string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return usagef("%s: cannot read %s: %v", what, path.Path, path.Err)
	}
	return usagef("%s: %v", what, err)
}

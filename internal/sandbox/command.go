package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Command is what is run.
type Command struct {
	// Interpreter is what runs the program, with its arguments, such as
	// /usr/bin/python3 -I; empty for a program that the system runs by itself.
	// It is found by its absolute path and not hashed.
	Interpreter []string
	// Program is the path of the program.
	Program string
	// SHA256 is the hash that the program has to have, 64 hexadecimal digits; empty
	// for any.
	SHA256 string
	// Arguments come after the program. They are visible to everybody on the machine.
	Arguments []string
}

// HashError says that a program is not the one that it should be.
type HashError struct {
	Program, Want, Got string
}

// Error says what was found.
func (e *HashError) Error() string {
	return fmt.Sprintf("%s is not the program that was registered: its SHA-256 is %s, and not %s", e.Program, e.Got, e.Want)
}

// MaxProgramBytes is the most a program may have.
const MaxProgramBytes = 512 << 20

// Hash returns the SHA-256 of a program in hexadecimal digits.
func Hash(program string) (string, error) {
	file, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return hashed(io.Discard, file)
}

// hashed copies a program and returns its hash.
func hashed(to io.Writer, from io.Reader) (string, error) {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(from, MaxProgramBytes+1))
	if err != nil {
		return "", err
	}
	if n > MaxProgramBytes {
		return "", fmt.Errorf("the program has more than %d bytes", MaxProgramBytes)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// place is a private directory with the copy that is run: what is run has been
// hashed, whatever happens to the original meanwhile.
type place struct{ directory, program string }

func newPlace(c Command, owner *identity) (p place, err error) {
	source, err := os.Open(c.Program)
	if err != nil {
		return p, fmt.Errorf("open the program: %w", err)
	}
	defer source.Close()
	if p.directory, err = os.MkdirTemp("", "gatehouse-connector-"); err != nil {
		return p, fmt.Errorf("make a directory for the program: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.remove())
		}
	}()
	p.program = filepath.Join(p.directory, filepath.Base(c.Program))
	copied, err := os.OpenFile(p.program, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return p, fmt.Errorf("copy the program: %w", err)
	}
	sum, err := hashed(copied, source)
	if err := errors.Join(err, copied.Close()); err != nil {
		return p, fmt.Errorf("copy the program: %w", err)
	}
	if c.SHA256 != "" && c.SHA256 != sum {
		return p, &HashError{Program: c.Program, Want: c.SHA256, Got: sum}
	}
	if owner != nil {
		// The child may enter and run it, and not change it.
		if err := errors.Join(os.Chown(p.directory, -1, owner.gid), os.Chown(p.program, -1, owner.gid)); err != nil {
			return p, fmt.Errorf("hand the program over: %w", err)
		}
	}
	if err := errors.Join(os.Chmod(p.program, 0o550), os.Chmod(p.directory, 0o550)); err != nil { //nolint:gosec // a program has to be executable
		return p, fmt.Errorf("copy the program: %w", err)
	}
	return p, nil
}

func (p place) remove() error {
	if p.directory == "" {
		return nil
	}
	// A directory that is not writable keeps what is in it.
	return errors.Join(os.Chmod(p.directory, 0o700), os.RemoveAll(p.directory)) //nolint:gosec // a directory has to be executable
}

// argv is what is executed.
func (c Command) argv(program string) []string {
	argv := append([]string{}, c.Interpreter...)
	return append(append(argv, program), c.Arguments...)
}

package keyfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// mode lets the owner read and nobody write.
const mode fs.FileMode = 0o400

// FormError tells that a key file exists and cannot be used as it is.
type FormError struct {
	// Path is the file.
	Path string
	// Problem says what is wrong with it and what to do.
	Problem string
}

// Error joins path and problem.
func (e *FormError) Error() string { return fmt.Sprintf("key file %s: %s", e.Path, e.Problem) }

// Read returns the size bytes in the file at path. Errors: fs.ErrNotExist in the
// chain where there is no file, or a [*FormError].
func Read(path string, size int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &FormError{Path: path, Problem: "not a regular file"}
	}
	if extra := info.Mode().Perm() &^ mode; extra != 0 {
		return nil, &FormError{Path: path, Problem: fmt.Sprintf("mode is %04o, want %04o: run chmod 0400 on it", info.Mode().Perm(), mode)}
	}
	// One byte more than a key has shows a file that is too long.
	key := make([]byte, size+1)
	n, err := io.ReadFull(file, key)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		clear(key)
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if n != size {
		clear(key)
		return nil, &FormError{Path: path, Problem: fmt.Sprintf("size is not %d bytes: restore it from a backup", size)}
	}
	return key[:size], nil
}

// Create stores size random bytes at path and returns them. The directory must
// exist. An existing file is never overwritten: then fs.ErrExist is in the
// error's chain.
func Create(path string, size int) ([]byte, error) {
	key := make([]byte, size)
	rand.Read(key) // never fails: crypto/rand ends the process instead
	if err := writeNew(path, key); err != nil {
		clear(key)
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return key, nil
}

// writeNew puts data into a file that did not exist, through a second name: a
// link either makes the complete file appear at path or fails because
// something is there.
func writeNew(path string, data []byte) (err error) {
	directory := filepath.Dir(path)
	file, err := os.CreateTemp(directory, ".key-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	if err := errors.Join(writeSynced(file, data), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncDirectory(directory)
}

func writeSynced(file *os.File, data []byte) error {
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	return file.Sync()
}

// syncDirectory makes the new name durable: what a key protects in the meantime
// would go with it in a power failure.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

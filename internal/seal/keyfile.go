package seal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// keyFileMode lets the owner read and nobody write.
const keyFileMode fs.FileMode = 0o400

// LoadLocal reads the key from the file at path: exactly 32 bytes, readable by
// its owner and nobody else.
//
// Errors: fs.ErrNotExist in the chain where there is no file, or a
// [*KeyFileError].
func LoadLocal(path string) (*Local, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("local key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("local key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &KeyFileError{Path: path, Problem: "not a regular file"}
	}
	if extra := info.Mode().Perm() &^ keyFileMode; extra != 0 {
		return nil, &KeyFileError{
			Path:    path,
			Problem: fmt.Sprintf("mode is %04o, want %04o: run chmod 0400 on it", info.Mode().Perm(), keyFileMode),
		}
	}
	// One byte more than a key has shows a file that is too long.
	key := make([]byte, localKeyBytes+1)
	defer clear(key)
	n, err := io.ReadFull(file, key)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read local key file: %w", err)
	}
	if n != localKeyBytes {
		return nil, &KeyFileError{
			Path:    path,
			Problem: fmt.Sprintf("size is not %d bytes: restore it from a backup", localKeyBytes),
		}
	}
	return newLocal(key[:localKeyBytes])
}

// CreateLocal makes a new random key and stores it at path with mode 0400. The
// directory must exist. The file appears whole or not at all, and an existing
// one is never overwritten: then fs.ErrExist is in the error's chain.
func CreateLocal(path string) (*Local, error) {
	key := make([]byte, localKeyBytes)
	defer clear(key)
	_, _ = rand.Read(key)
	if err := writeNew(path, key); err != nil {
		return nil, fmt.Errorf("create local key file: %w", err)
	}
	return newLocal(key)
}

// LoadOrCreate loads the key at path, or makes one where there is no file.
// existingCiphertext says that the database holds records sealed with the local
// wrapper; then a missing file is a [*MissingKeyError] and no key is made.
func LoadOrCreate(path string, existingCiphertext bool) (*Local, error) {
	local, err := LoadLocal(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return local, err
	}
	if existingCiphertext {
		return nil, &MissingKeyError{Path: path}
	}
	local, err = CreateLocal(path)
	if errors.Is(err, fs.ErrExist) {
		// Another process made it in between; both must use the same.
		return LoadLocal(path)
	}
	return local, err
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
	defer func() {
		err = errors.Join(err, os.Remove(file.Name()))
	}()
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
	if err := file.Chmod(keyFileMode); err != nil {
		return err
	}
	return file.Sync()
}

// syncDirectory makes the new name durable: a key that is lost in a power
// failure takes every credential sealed in the meantime with it.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

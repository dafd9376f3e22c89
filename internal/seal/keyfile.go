package seal

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/gatehouse-project/gatehouse/internal/keyfile"
)

// LoadLocal reads the key from the file at path: exactly 32 bytes, readable by
// its owner and nobody else.
//
// Errors: fs.ErrNotExist in the chain where there is no file, or a
// [*KeyFileError].
func LoadLocal(path string) (*Local, error) {
	key, err := keyfile.Read(path, localKeyBytes)
	if form, ok := errors.AsType[*keyfile.FormError](err); ok {
		return nil, &KeyFileError{Path: form.Path, Problem: form.Problem}
	}
	if err != nil {
		return nil, fmt.Errorf("local key: %w", err)
	}
	return newLocal(key)
}

// CreateLocal makes a new random key and stores it at path with mode 0400. The
// directory must exist. The file appears whole or not at all, and an existing
// one is never overwritten: then fs.ErrExist is in the error's chain.
func CreateLocal(path string) (*Local, error) {
	key, err := keyfile.Create(path, localKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("local key: %w", err)
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

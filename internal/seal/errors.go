package seal

import (
	"errors"
	"fmt"
)

// Errors of sealing and opening. They are found with errors.Is; the text
// around them says more, and never holds key material or plaintext.
var (
	// ErrBinding: the binding is incomplete. A mistake of the caller.
	ErrBinding = errors.New("incomplete binding")
	// ErrTooLong: the plaintext exceeds MaxPlaintextBytes.
	ErrTooLong = errors.New("plaintext too long to seal")
	// ErrDamaged: the record was altered, cut, or taken from another row.
	// Opening it again does not help; the credential has to be entered again
	// or restored from a backup.
	ErrDamaged = errors.New("sealed record does not open")
	// ErrUnknownWrapper: the record names a wrapper of which this process was
	// given no key. A matter of configuration.
	ErrUnknownWrapper = errors.New("unknown key wrapper")
	// ErrKeyMismatch: the wrapper's key is not the one that the record or the
	// stored check value was made with.
	ErrKeyMismatch = errors.New("key-encryption key does not match")
)

// MissingKeyError tells that there is no file for the local key while the
// database has been used with a key. Going on with a new one would hide that
// what is stored needs another, so none is made.
type MissingKeyError struct {
	// Path is where the key file should be.
	Path string
}

// Error names the file and the two ways out.
func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("local key file %s is missing, but this database has been used with a key before, so none is made: "+
		"restore the file from a backup (mode 0400); to go over to a new key, make it with gatehouse keys create; "+
		"if the old one is lost, delete the connections and create them again to enter their credentials anew", e.Path)
}

// KeyFileError tells that a local key file exists and cannot be used as it is.
type KeyFileError struct {
	// Path is the file.
	Path string
	// Problem says what is wrong with it and what to do.
	Problem string
}

// Error joins path and problem.
func (e *KeyFileError) Error() string {
	return fmt.Sprintf("local key file %s: %s", e.Path, e.Problem)
}

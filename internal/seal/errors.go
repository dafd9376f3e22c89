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
	// ErrUnknownWrapper: the record names a wrapper that this process was not
	// given. A matter of configuration.
	ErrUnknownWrapper = errors.New("unknown key wrapper")
	// ErrKeyMismatch: the wrapper's key is not the one that the record or the
	// stored check value was made with.
	ErrKeyMismatch = errors.New("key-encryption key does not match")
)

// MissingKeyError tells that the file of the local key is gone while the
// database holds credentials sealed with it. A new key would make them
// unreadable for good, so none is made.
type MissingKeyError struct {
	// Path is where the key file should be.
	Path string
}

// Error names the file and the two ways out.
func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("local key file %s is missing, but the database holds credentials sealed with it: "+
		"restore the file from a backup (mode 0400), or, if it is lost, delete the connections and create them again "+
		"to enter their credentials anew", e.Path)
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

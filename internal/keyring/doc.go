// Package keyring is the key-encryption keys of a data plane: which it has
// been used with, which credentials are under which, and moving credentials
// from one key to another while services run.
//
// Names of keys and sealed records pass through it. A [Rewrapper] looks for
// credentials that are not under the key that is current, has each data key
// wrapped anew by a [Cipher], and stores it if the record is still the one
// that was read. The records themselves are the progress: whatever ends the
// work, what is not yet moved is found again by the next.
//
// It never sees a key or a secret, never touches a ciphertext, and knows no
// database and no key service.
package keyring

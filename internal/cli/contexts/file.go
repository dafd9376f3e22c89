package contexts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Context is a server, the key or session for it, and the workspace to work in.
type Context struct {
	URL string `json:"url"`
	// APIKey is a secret. It is text because it has to be written.
	APIKey string `json:"api_key,omitempty"`
	// Session is that of a person who signed in; it goes before the key.
	Session *Session `json:"session,omitempty"`
	// Workspace is where a session works: an id, "tenant", or empty.
	Workspace string `json:"workspace,omitempty"`
}

// Session is what a sign-in gave. Token, RefreshToken and NonceVerifier are secret.
type Session struct {
	Token string `json:"token"`
	// Person is who signed in, as they are shown.
	Person    string    `json:"person"`
	ExpiresAt time.Time `json:"expires_at"`
	// RefreshToken and NonceVerifier are for a further session without a sign-in;
	// the token is empty where the provider gave none.
	RefreshToken  string `json:"refresh_token,omitempty"`
	NonceVerifier string `json:"nonce_verifier,omitempty"`
	// Issuer and ClientID are whose refresh token it is. It is sent to nobody else,
	// whatever the server says later.
	Issuer   string `json:"issuer,omitempty"`
	ClientID string `json:"client_id,omitempty"`
}

// File is the contexts of a user.
type File struct {
	// Current is the name of the context used where none is named; it may be empty.
	Current  string             `json:"current,omitempty"`
	Contexts map[string]Context `json:"contexts"`
}

// Path returns where the file is: gatehouse/contexts.json in the user's
// configuration directory.
func Path() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the user's configuration directory: %w", err)
	}
	return filepath.Join(dir, "gatehouse", "contexts.json"), nil
}

// Load reads the file at path. A file that does not exist has no contexts; one
// that others may read is an error, because it holds keys.
func Load(path string) (File, error) {
	empty := File{Contexts: map[string]Context{}}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fmt.Errorf("read contexts: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return empty, fmt.Errorf("%s holds API keys and others may read it (mode %04o): run chmod 600 %s", path, mode, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return empty, fmt.Errorf("read contexts: %w", err)
	}
	f := empty
	if err := json.Unmarshal(raw, &f); err != nil {
		return empty, fmt.Errorf("%s is not a file of contexts: %w", path, err)
	}
	if f.Contexts == nil {
		f.Contexts = map[string]Context{}
	}
	return f, nil
}

// Save writes the file at path, mode 0600, in one step: readers see the old or
// the new file.
func (f File) Save(path string) error {
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encode contexts: %w", err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the configuration directory: %w", err)
	}
	// os.CreateTemp makes files of mode 0600.
	temp, err := os.CreateTemp(dir, ".contexts-*")
	if err != nil {
		return fmt.Errorf("write contexts: %w", err)
	}
	_, err = temp.Write(append(raw, '\n'))
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		// It holds keys, so it does not stay.
		return fmt.Errorf("write contexts: %w", errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// Names lists the contexts in order.
func (f File) Names() []string { return slices.Sorted(maps.Keys(f.Contexts)) }

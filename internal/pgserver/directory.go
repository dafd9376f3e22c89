package pgserver

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Names inside the data directory.
const (
	clusterName    = "cluster"
	newClusterName = "cluster.new"
	ownerLockName  = "gatehouse.lock"
	serverLockName = "server.lock"
	passwordName   = "superuser.password"
	logName        = "server.log"
)

// maxLogBytes is the size above which a start keeps the log as server.log.old
// and begins a new one. Only warnings are logged, so few servers get there.
const maxLogBytes = 10 << 20

// directory is the data directory and the paths below it.
type directory string

func (d directory) path(name string) string { return filepath.Join(string(d), name) }
func (d directory) cluster() string         { return d.path(clusterName) }

// prepare makes the directory, readable by nobody but its owner and root. It
// refuses to take over a directory that holds something else.
func (d directory) prepare() error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("make the database directory: %w", err)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return fmt.Errorf("read the database directory: %w", err)
	}
	known := false
	for _, entry := range entries {
		known = known || entry.Name() == ownerLockName
	}
	if len(entries) > 0 && !known {
		return &ForeignDirectoryError{DataDir: string(d), Found: entries[0].Name()}
	}
	return nil
}

// superuserPassword returns the superuser's password, made at the first call.
// The file belongs to the account, as initdb reads it from there.
func (d directory) superuserPassword(acc account) (string, error) {
	path := d.path(passwordName)
	content, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the superuser's password: %w", err)
	}
	if _, err := os.Stat(d.cluster()); err == nil {
		return "", fmt.Errorf("the cluster exists but its password file %s is gone: restore the file, or remove the directory to start empty", path)
	}
	password := randomPassword()
	// Written beside and renamed, so that a kill leaves no half a password.
	partial := path + ".new"
	if err := os.WriteFile(partial, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the superuser's password: %w", err)
	}
	if err := acc.own(partial); err != nil {
		return "", err
	}
	if err := os.Rename(partial, path); err != nil {
		return "", fmt.Errorf("write the superuser's password: %w", err)
	}
	return password, nil
}

// randomPassword returns 32 random bytes in an alphabet that needs no escaping
// in URLs.
func randomPassword() string {
	key := make([]byte, 32)
	rand.Read(key) // never returns an error
	return base64.RawURLEncoding.EncodeToString(key)
}

// openLog opens the server's log for appending.
func (d directory) openLog() (*os.File, error) {
	path := d.path(logName)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLogBytes {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, fmt.Errorf("rotate the server's log: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return file, nil
}

// logTail returns what was written to the log after offset, at most its last
// 4,000 bytes.
func (d directory) logTail(offset int64) string {
	content, err := os.ReadFile(d.path(logName))
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	if offset <= int64(len(content)) {
		content = content[offset:]
	}
	if excess := len(content) - 4000; excess > 0 {
		content = content[excess:]
	}
	return strings.TrimSpace(string(content))
}

package pgserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrNotRunning says that no server runs in a directory.
var ErrNotRunning = errors.New("no PostgreSQL server of Gatehouse runs there")

// RunningURL returns the connection URL of a role at the server that another
// process runs in a data directory. The error is ErrNotRunning where there is
// none that accepts connections; a server that was killed may still be taken for
// one that runs.
func RunningURL(dataDir, user, password, database string) (string, error) {
	content, err := os.ReadFile(filepath.Join(directory(dataDir).cluster(), pidFileName))
	if errors.Is(err, os.ErrNotExist) {
		return "", ErrNotRunning
	}
	if err != nil {
		return "", fmt.Errorf("look for a running server: %w", err)
	}
	// The fourth line is the port, the eighth "ready" once connections are accepted.
	lines := strings.Split(string(content), "\n")
	if len(lines) < 8 || strings.TrimSpace(lines[7]) != "ready" {
		return "", ErrNotRunning
	}
	port, err := strconv.ParseUint(strings.TrimSpace(lines[3]), 10, 16)
	if err != nil {
		return "", fmt.Errorf("%s names no port: %w", pidFileName, err)
	}
	s := Server{port: int(port)}
	return s.URL(user, password, database), nil
}

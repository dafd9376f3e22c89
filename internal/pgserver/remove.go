package pgserver

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Remove deletes a data directory and all data in it. A server that a killed
// process left behind there is stopped first; *InUseError means that its owner
// lives, *ForeignDirectoryError that the directory is not one of this package's.
// A directory that does not exist is no error.
func Remove(ctx context.Context, dataDir string) error {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		return fmt.Errorf("remove the database: %w", err)
	}
	dir := directory(abs)
	if _, err := os.Stat(abs); os.IsNotExist(err) {
		return nil
	}
	if err := dir.prepare(); err != nil {
		return err
	}
	owner, err := dir.lockOwner()
	if err != nil {
		return err
	}
	defer owner.Close()
	s := &Server{dir: dir, cfg: Config{DataDir: abs, Logger: slog.New(slog.DiscardHandler)}}
	lock, err := s.clearLeftovers(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := os.RemoveAll(abs); err != nil {
		return fmt.Errorf("remove the database: %w", err)
	}
	return nil
}

package pgserver

import (
	"context"
	"fmt"
	"time"
)

// keepPause is between the end of a server and its next start, so that one that
// ends as soon as it has started does not keep the machine busy.
const keepPause = time.Second

// keepAttempts bounds how often a start that fails is tried again, each time
// after a pause that is twice as long: half a minute in all.
const keepAttempts = 5

// Keep starts the server again, on the same port, whenever it has ended although
// nobody has stopped it, until ctx ends or the server is stopped. It returns an
// error when the server cannot be started again.
func (s *Server) Keep(ctx context.Context) error {
	for {
		current := s.now()
		if current == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-current.done:
		}
		if err := s.revive(ctx, current, keepPause); err != nil {
			return err
		}
	}
}

// now is what runs; nil once the server has been stopped.
func (s *Server) now() *running {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == nil {
		return nil
	}
	return s.current
}

// revive starts the server again after a pause, unless it was stopped, or somebody
// else has started it.
func (s *Server) revive(ctx context.Context, ended *running, pause time.Duration) error {
	var err error
	for attempt := range keepAttempts {
		timer := time.NewTimer(pause << attempt)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if s.now() != ended {
			return nil
		}
		if attempt == 0 {
			s.cfg.Logger.Error("PostgreSQL has ended by itself and is started again", "directory", s.cfg.DataDir, "ended", fmt.Sprint(ended.err), "log", s.LogPath())
		}
		if err = s.Restart(ctx); err == nil {
			s.cfg.Logger.Info("PostgreSQL is running again", "directory", s.cfg.DataDir, "port", s.port)
			return nil
		}
	}
	failed := fmt.Errorf("PostgreSQL has ended by itself and cannot be started again; see %s: %w", s.LogPath(), err)
	if ctx.Err() != nil {
		failed = nil // the last start was cut short
	}
	return failed
}

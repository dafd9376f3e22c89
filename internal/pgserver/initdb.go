package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
)

// createCluster makes the cluster unless there is one. It is built beside its
// place and renamed, so that a kill leaves either none or a whole one.
func (s *Server) createCluster(ctx context.Context, lock *os.File) error {
	if _, err := os.Stat(s.dir.cluster()); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look for the cluster: %w", err)
	}
	building := s.dir.path(newClusterName)
	if err := os.RemoveAll(building); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	if err := os.Mkdir(building, 0o700); err != nil {
		return fmt.Errorf("make the cluster's directory: %w", err)
	}
	if err := s.account.own(building); err != nil {
		return err
	}
	if err := s.runInitdb(ctx, building, lock); err != nil {
		return err
	}
	if err := os.Rename(building, s.dir.cluster()); err != nil {
		return fmt.Errorf("put the new cluster in its place: %w", err)
	}
	s.cfg.Logger.Info("created a PostgreSQL cluster", "directory", s.cfg.DataDir, "version", s.inst.major)
	return nil
}

func (s *Server) runInitdb(ctx context.Context, building string, lock *os.File) error {
	log, err := s.dir.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	offset, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("measure the server's log: %w", err)
	}
	target, err := os.Open(building)
	if err != nil {
		return fmt.Errorf("open the cluster's directory: %w", err)
	}
	defer target.Close()
	password, err := os.Open(s.dir.path(passwordName))
	if err != nil {
		return fmt.Errorf("open the superuser's password: %w", err)
	}
	defer password.Close()

	c := newChild(s.inst.program("initdb"), s.account, lock, log)
	c.cmd.Args = append(c.cmd.Args,
		"--pgdata="+c.pathOf(target),
		"--pwfile="+c.pathOf(password),
		"--username="+Superuser,
		"--auth=scram-sha-256",
		"--encoding=UTF8",
		// Bytewise order keeps text indexes small and fast and every machine's
		// answers in the same order.
		"--locale=C",
		"--data-checksums",
	)
	if runtime.GOOS == "linux" {
		// Case folding beyond ASCII; macOS has no such locale.
		c.cmd.Args = append(c.cmd.Args, "--lc-ctype=C.UTF-8")
	}
	if !s.cfg.Durable {
		c.cmd.Args = append(c.cmd.Args, "--no-sync")
	}
	r, err := c.start(syscall.SIGTERM)
	if err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		// The whole session: initdb runs the server beneath it.
		_ = syscall.Kill(-r.process.Pid, syscall.SIGTERM) // it may have ended by itself
		<-r.done
		return fmt.Errorf("create the cluster: %w", ctx.Err())
	}
	if r.err != nil {
		return fmt.Errorf("create the cluster: initdb: %w: %s", r.err, s.dir.logTail(offset))
	}
	return nil
}

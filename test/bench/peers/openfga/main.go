package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv("PEER_DATABASE_URL"), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openfga:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, in io.Reader, out io.Writer) (err error) {
	if url == "" {
		return errors.New("PEER_DATABASE_URL is empty; it names an empty PostgreSQL database")
	}
	s, err := open(ctx, url)
	if err != nil {
		return err
	}
	defer s.close()
	lines, say := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	n, took, err := s.load(ctx, lines)
	if err != nil {
		return err
	}
	if err := say.Encode(loaded{n, took.Nanoseconds()}); err != nil {
		return fmt.Errorf("tell what was loaded: %w", err)
	}
	for {
		var q input
		if err := lines.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a question: %w", err)
		}
		begun := time.Now()
		found, err := s.ask(ctx, q)
		took := time.Since(begun)
		if err != nil {
			return fmt.Errorf("list %s of %s: %w", q.List, q.Of, err)
		}
		if err := say.Encode(answer{took.Nanoseconds(), found}); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

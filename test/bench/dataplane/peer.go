package dataplane

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Peer is another program that answers the same questions, from a database of
// its own on this plane's server; see test/bench/peers.
type Peer struct {
	process *exec.Cmd
	in      io.WriteCloser
	say     *json.Encoder
	buffer  *bufio.Writer
	hear    *json.Decoder
}

// StartPeer starts a program on a new database of the name.
func (p *Plane) StartPeer(ctx context.Context, program, database string) (*Peer, error) {
	if err := postgres.EnsureDatabase(ctx, p.server.SuperuserURL("postgres"), database); err != nil {
		return nil, fmt.Errorf("create the peer's database: %w", err)
	}
	c := exec.CommandContext(ctx, program)
	c.Env = append(os.Environ(), "PEER_DATABASE_URL="+p.server.SuperuserURL(database))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the peer: %w", err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the peer: %w", err)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the peer: %w", err)
	}
	buffer := bufio.NewWriter(in)
	return &Peer{c, in, json.NewEncoder(buffer), buffer, json.NewDecoder(bufio.NewReader(out))}, nil
}

// Load gives the peer an estate, and says how many tuples that are and how long
// the peer took to store them.
func (p *Peer) Load(c generator.Configuration) (tuples int, took time.Duration, err error) {
	if err := generator.Tuples(c, func(t generator.Tuple) error { return p.say.Encode(t) }); err != nil {
		return 0, 0, fmt.Errorf("send tuples: %w", err)
	}
	var done struct {
		Tuples      int
		Nanoseconds int64
	}
	err = p.exchange(map[string]bool{"loaded": true}, &done)
	return done.Tuples, time.Duration(done.Nanoseconds), err
}

// List asks the peer for "users" of a resource or "objects" of an account, for
// at most so many; 0 bounds the answer by nothing. It says how long the peer
// took by its own clock.
func (p *Peer) List(list, of string, most int) (found []string, took time.Duration, err error) {
	var a struct {
		Nanoseconds int64
		Found       []string
	}
	err = p.exchange(map[string]any{"list": list, "of": of, "most": most}, &a)
	return a.Found, time.Duration(a.Nanoseconds), err
}

func (p *Peer) exchange(line, answer any) error {
	if err := errors.Join(p.say.Encode(line), p.buffer.Flush()); err != nil {
		return fmt.Errorf("ask the peer: %w", err)
	}
	if err := p.hear.Decode(answer); err != nil {
		return fmt.Errorf("hear the peer: %w", err)
	}
	return nil
}

// Stop ends the process, which ends with its questions.
func (p *Peer) Stop() error {
	if err := errors.Join(p.in.Close(), p.process.Wait()); err != nil {
		return fmt.Errorf("stop the peer: %w", err)
	}
	return nil
}

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
)

// Streams is where a command reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// Standard returns the streams of the process.
func Standard() Streams { return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr} }

// descriptor returns the file behind a stream when it is a terminal.
func descriptor(stream any) (int, bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	fd := int(file.Fd())
	return fd, term.IsTerminal(fd)
}

// width returns the columns of the terminal that is standard output; 0 when it
// is none.
func (s Streams) width() int {
	fd, ok := descriptor(s.Out)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(fd)
	if err != nil {
		return 0
	}
	return columns
}

// interactive says that a person can be asked: answers can be typed.
func (s Streams) interactive() bool {
	_, ok := descriptor(s.In)
	return ok
}

// animated says that a line that keeps changing is welcome.
func (s Streams) animated() bool {
	_, ok := descriptor(s.Err)
	return ok && os.Getenv("TERM") != "dumb"
}

// prompt asks on the terminal. It implements form.Asker.
type prompt struct {
	// ctx ends the asking: an interrupt has to, though nothing was typed.
	ctx   context.Context //nolint:containedctx // a prompt lives as long as its command's asking, and form.Asker has no context
	in    io.Reader
	out   io.WriteCloser
	lines *bufio.Reader
}

// newPrompt asks on the terminal that is standard input, also where standard
// error goes elsewhere. Whoever asked calls done. When ctx ends, so does the
// asking, with the cause.
func (s Streams) newPrompt(ctx context.Context) (*prompt, error) {
	out, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("ask on the terminal: %w", err)
	}
	return &prompt{ctx: ctx, in: s.In, out: out, lines: bufio.NewReader(s.In)}, nil
}

// done gives the terminal back. What was written to it was seen or not by now.
func (p *prompt) done() { _ = p.out.Close() }

// Say shows a remark.
func (p *prompt) Say(remark string) { fmt.Fprintln(p.out, output.Clean(remark)) }

// Ask reads one line.
func (p *prompt) Ask(question string, hidden bool) (string, error) {
	fmt.Fprint(p.out, output.Clean(question))
	if !hidden {
		return p.await(func() (string, error) {
			line, err := p.lines.ReadString('\n')
			if errors.Is(err, io.EOF) && line != "" {
				err = nil
			}
			return line, err
		})
	}
	fd, ok := descriptor(p.in)
	if !ok {
		return "", errors.New("standard input is not a terminal, so what is typed cannot be hidden")
	}
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the state of the terminal: %w", err)
	}
	typed, err := p.await(func() (string, error) {
		typed, err := term.ReadPassword(fd)
		return string(typed), err
	})
	if p.ctx.Err() != nil {
		// The reading goes on until the process ends; what is typed next is for
		// whoever has the terminal then, and is to be seen.
		err = errors.Join(err, term.Restore(fd, before))
	}
	fmt.Fprintln(p.out)
	return typed, err
}

// await returns what read does, or why the context ended before it did: a read
// of a terminal cannot be called off.
func (p *prompt) await(read func() (string, error)) (string, error) {
	type line struct {
		text string
		err  error
	}
	if p.ctx.Err() != nil {
		return "", context.Cause(p.ctx)
	}
	typed := make(chan line, 1)
	go func() {
		text, err := read()
		typed <- line{strings.TrimSpace(text), err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-p.ctx.Done():
		return "", context.Cause(p.ctx)
	}
}

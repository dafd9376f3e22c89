package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

const (
	// pollAnimated is how long the server may hold an answer back while a bar is
	// drawn, pollPlain otherwise.
	pollAnimated = time.Second
	pollPlain    = 5 * time.Second
	// pollLeast keeps a server that does not wait from being asked all the time.
	pollLeast = 200 * time.Millisecond
	// patience is how long a server may be unavailable while a run is followed.
	patience = 2 * time.Minute
)

// RunsWatchCmd is `gatehouse runs watch`.
type RunsWatchCmd struct {
	Remote
	runArg
}

// Help returns examples.
func (RunsWatchCmd) Help() string {
	return `Shows progress until the run has ended, then how it went. Ctrl-C stops watching; the run goes on. Exits with 5 when the run failed, was cancelled or blocked.

    gatehouse runs watch run_12`
}

// Run follows a run.
func (cmd *RunsWatchCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	// Later a server may be away for a while; now there may be none.
	if _, err := c.Run(ctx, cmd.ID, 0); err != nil {
		return err
	}
	return watchRun(ctx, e, c, cmd.Remote, cmd.ID)
}

// watchRun follows a run to its end and prints how it went.
func watchRun(ctx context.Context, e *environment, c *client.Client, r Remote, id string) error {
	a, err := e.followRun(ctx, c, id)
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintf(e.Err, "%s goes on. Follow it: gatehouse runs watch %s; end it: gatehouse runs cancel %s\n", id, id, id)
		}
		return err
	}
	if err := e.printRun(r, a); err != nil {
		return err
	}
	switch a.Value.Outcome {
	case "succeeded", "partially_succeeded":
		return nil
	}
	return &stopped{exitStopped}
}

// followRun follows a run to its end, showing progress.
func (e *environment) followRun(ctx context.Context, c *client.Client, id string) (client.Answer[client.Run], error) {
	var p progress = &plainProgress{streams: e.Streams}
	wait := pollPlain
	if e.animated() {
		p, wait = &barProgress{streams: e.Streams}, pollAnimated
	}
	a, err := follow(ctx, c, id, wait, p)
	p.end()
	return a, err
}

// follow follows the run until it has completed: by its events or, where they are
// not to be had, by asking again and again.
func follow(ctx context.Context, c *client.Client, id string, wait time.Duration, p progress) (a client.Answer[client.Run], err error) {
	var since time.Time
	events := c.FollowRun(id)
	for {
		asked := time.Now()
		if events != nil {
			err = events.Read(ctx, func(now client.Answer[client.Run]) {
				a = now
				p.show(a.Value)
			})
			if errors.Is(err, client.ErrNoStream) {
				events = nil
				continue
			}
		} else if a, err = c.Run(ctx, id, wait); err == nil {
			p.show(a.Value)
		}
		switch {
		case err == nil:
			since = time.Time{}
			if a.Value.Status == "completed" {
				return a, nil
			}
		case statusOf(err) != exitUnavailable || ctx.Err() != nil:
			return a, err
		case since.IsZero():
			since = asked
			p.lost(err)
		case time.Since(since) > patience:
			return a, err
		}
		pause := time.NewTimer(pollLeast - time.Since(asked))
		select {
		case <-ctx.Done():
			pause.Stop()
			return a, context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// progress shows how far a run is.
type progress interface {
	show(client.Run)
	// lost tells that the server does not answer for now.
	lost(error)
	end()
}

// plainProgress prints a line whenever there is something new to say.
type plainProgress struct {
	streams Streams
	said    string
}

func (p *plainProgress) show(run client.Run) {
	line := run.RunID + " " + run.Status
	if run.Status == "running" {
		line += ": " + progressText(run)
	}
	p.say(line)
}

func (p *plainProgress) lost(err error) { p.say(fmt.Sprintf("waiting for the server: %v", err)) }

func (p *plainProgress) say(line string) {
	if line != p.said {
		fmt.Fprintln(p.streams.Err, output.Clean(line))
		p.said = line
	}
}

func (*plainProgress) end() {}

// barProgress draws a bar that counts what a run has to read in parts.
type barProgress struct {
	streams Streams
	bar     *progressbar.ProgressBar
	all     int
}

func (p *barProgress) show(run client.Run) {
	done, all, text := 0, -1, run.Status
	if run.Status == "running" {
		text = progressText(run)
		if p := run.Progress; p != nil && p.PartitionsAll > 0 {
			done, all = p.PartitionsDone, p.PartitionsAll
		}
	}
	if p.bar == nil || all != p.all {
		p.end()
		p.all = all
		p.bar = progressbar.NewOptions(all,
			progressbar.OptionSetWriter(p.streams.Err), progressbar.OptionSetWidth(20), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(true), progressbar.OptionUseANSICodes(true),
			progressbar.OptionShowDescriptionAtLineEnd())
	}
	p.bar.Describe(output.Clean(text))
	if all > 0 {
		// A bar that cannot be drawn is no reason to stop following.
		_ = p.bar.Set(min(done, all-1))
	} else {
		_ = p.bar.Add(1)
	}
}

func (p *barProgress) lost(err error) {
	if p.bar != nil {
		p.bar.Describe(output.Clean(fmt.Sprintf("waiting for the server: %v", err)))
	}
}

func (p *barProgress) end() {
	if p.bar != nil {
		_ = errors.Join(p.bar.Clear(), p.bar.Exit())
	}
}

// progressText says what a running run does. Figures come with the worker's
// heartbeats: before the first there are none.
func progressText(run client.Run) string {
	text := "reading"
	if run.Phase == "publishing" {
		text = "publishing"
	}
	p := run.Progress
	if p == nil {
		return text
	}
	if p.PartitionsAll > 0 {
		text += fmt.Sprintf(", %d of %d parts", p.PartitionsDone, p.PartitionsAll)
	}
	if p.Entities+p.Relationships > 0 {
		text += fmt.Sprintf(", %d entities, %d relationships", p.Entities, p.Relationships)
	}
	if p.Message != "" {
		text += ": " + p.Message
	}
	return text
}

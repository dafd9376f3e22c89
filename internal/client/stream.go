package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// ErrNoStream says that a run cannot be followed by its events here: the server,
// or what is in front of it, does not stream, or does not for this client.
var ErrNoStream = errors.New("the server does not stream")

const (
	// firstEvent is how long the first event may take; something in between that
	// keeps answers until they are whole would let nobody see any.
	firstEvent = 10 * time.Second
	// silence is how long nothing may come; the server says something every 15
	// seconds.
	silence = 45 * time.Second
	// maxEvent bounds one line of a stream.
	maxEvent = 16 << 20
)

// RunStream follows one run by its events. It is for one goroutine.
type RunStream struct {
	client *Client
	run    string
	// last is the id of the last event received.
	last string
}

// FollowRun returns a stream of a run's events; it calls nobody yet.
func (c *Client) FollowRun(id string) *RunStream { return &RunStream{client: c, run: id} }

// Read connects and calls tell with the run as it is, and whenever it has
// changed, until the server ends the answer, which it also does now and then
// while the run goes on: call Read again, and it goes on where it ended. The
// error is [ErrNoStream], an [Unreachable], a [*Problem], or the context's cause.
func (s *RunStream) Read(ctx context.Context, tell func(Answer[Run])) error {
	err := s.read(ctx, s.client, tell)
	var refused *Problem
	if s.client.renew == nil || !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		return err
	}
	token, err := s.client.renew(ctx)
	if err != nil {
		return err
	}
	again := *s.client
	again.key = token
	s.client = &again
	return s.read(ctx, s.client, tell)
}

// errSilent is the cause of the end of a connection over which nothing came.
var errSilent = errors.New("nothing came over the connection")

func (s *RunStream) read(ctx context.Context, c *Client, tell func(Answer[Run])) error {
	connection, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	quiet := time.AfterFunc(firstEvent, func() { cut(errSilent) })
	defer quiet.Stop()
	header := http.Header{}
	if s.last != "" {
		header.Set("Last-Event-ID", s.last)
	}
	req, err := c.request(connection, call{method: http.MethodGet, path: runPath(s.run) + "/events", header: header})
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream, application/problem+json")
	res, err := c.http.Do(req)
	if err != nil {
		if errors.Is(context.Cause(connection), errSilent) {
			return ErrNoStream
		}
		return c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if err := streams(res); err != nil {
		return err
	}
	told := false
	err = events(res.Body, func() { quiet.Reset(silence) }, func(id string, data []byte) error {
		var a Answer[Run]
		if err := json.Unmarshal(data, &a.Value); err != nil {
			return fmt.Errorf("%s sent an event that this version of gatehouse does not know: %w", c.Address(), err)
		}
		a.Raw, s.last, told = data, id, true
		tell(a)
		return nil
	})
	switch {
	case err == nil || ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(context.Cause(connection), errSilent) && !told && s.last == "":
		return ErrNoStream
	}
	return c.unreachable(ctx, err)
}

// streams returns an error unless an answer is a stream, or the end of one.
func streams(res *http.Response) error {
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode == http.StatusOK && media == "text/event-stream", res.StatusCode == http.StatusNoContent:
		return nil
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode >= http.StatusInternalServerError:
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("read the refusal: %w", err)
		}
		return problemOf(res, body)
	}
	// Whoever waits for the run instead is told what else is wrong.
	return ErrNoStream
}

// events takes a stream apart, as the HTML standard has it for server-sent events
// with lines that end in a line feed.
func events(body io.Reader, came func(), tell func(id string, data []byte) error) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	var id string
	var data []string
	for lines.Scan() {
		came()
		field, value, _ := strings.Cut(strings.TrimSuffix(lines.Text(), "\r"), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "data":
			data = append(data, value)
		case "":
			if value == "" && len(data) > 0 {
				if err := tell(id, []byte(strings.Join(data, "\n"))); err != nil {
					return err
				}
				data = nil
			}
		}
	}
	return lines.Err()
}

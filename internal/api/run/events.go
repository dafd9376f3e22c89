package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Of a stream of events.
const (
	// beatEvery is how often something is sent, so that nothing in between takes
	// the connection for dead, and a client that has gone is noticed.
	beatEvery = 15 * time.Second
	// streamLife is how long one connection lasts; the client then connects again,
	// to wherever requests go by now.
	streamLife = 5 * time.Minute
	// streamStall is how long a client may take to receive an event.
	streamStall = 10 * time.Second
	// reconnectAfter is how long a client is asked to wait before it connects
	// again.
	reconnectAfter = time.Second
)

type eventsInput struct {
	RunID       api.PathID[id.Run] `path:"run_id"`
	Wait        string             `query:"wait" maxLength:"16" doc:"How long the connection lasts, such as 30s; 5m, the most, without it." example:"30s"`
	LastEventID string             `header:"Last-Event-ID" maxLength:"64" doc:"The id of the last event that was received; the run is not sent again unless it has changed since."`
}

// life is how long the connection is to last.
func (in *eventsInput) life() (time.Duration, error) {
	if in.Wait == "" {
		return streamLife, nil
	}
	d, err := time.ParseDuration(in.Wait)
	if err != nil || d < 0 || d > streamLife {
		return 0, fault.InvalidField("query.wait", "must be a duration of at most %s, such as 30s", streamLife)
	}
	return d, nil
}

// mountEvents adds the stream of a run's changes. It is written here and not by
// huma's package sse, which answers 200 before it knows whether there is such a
// run, sends no comments, and reports failures to standard error.
func mountEvents(a huma.API, runs *domain.Service) {
	streams := newOpenStreams(mostStreams)
	api.Register(a, huma.Operation{
		OperationID: "follow-run", Method: http.MethodGet, Path: "/v1/runs/{run_id}/events", Tags: []string{"Runs"}, Summary: "Follow a run",
		Extensions: api.Needs(workspace.ReadWorkspace),
		Description: "Server-sent events: at once, and whenever the run has changed, an event `run` whose data is the run as `GET /v1/runs/{run_id}` shows it. " +
			"The answer ends after the event of the completed run. It also ends after five minutes, when the server stops, and when the credentials are no longer good: " +
			"connect again with the id of the last event as `Last-Event-ID`. When that was the completed run, the answer is 204: there is nothing more to come.",
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
		Responses: map[string]*huma.Response{
			"200": {Description: "The events.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"204": {Description: "The run has completed, and the client has seen it."},
		},
	}, func(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
		life, err := in.life()
		if err != nil {
			return nil, err
		}
		caller := api.CallerFrom(ctx)
		closed, ok := streams.open(caller)
		if !ok {
			return nil, huma.Error429TooManyRequests(fmt.Sprintf("you follow %d runs already; end one of these first, or ask with GET /v1/runs/{run_id}?wait=30s", mostStreams))
		}
		f := &following{runs: runs, watch: runs.Watch(in.RunID.ID), sent: in.LastEventID, life: life}
		end := func() {
			f.watch.End()
			closed()
		}
		first, err := f.look(ctx, caller)
		if err != nil {
			end()
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer end()
			if first.last && first.id == f.sent {
				hc.SetStatus(http.StatusNoContent)
				return
			}
			hc.SetHeader("Content-Type", "text/event-stream")
			// Asks nginx and its like to pass on what comes when it comes.
			hc.SetHeader("X-Accel-Buffering", "no")
			if err := f.stream(hc, first); err != nil && hc.Context().Err() == nil {
				api.LoggerFrom(hc.Context()).LogAttrs(hc.Context(), slog.LevelInfo, "a stream of events ended early",
					slog.String("request_id", api.RequestID(hc.Context())), slog.Any("error", err))
			}
		}}, nil
	})
}

// following is one client that follows a run.
type following struct {
	runs  *domain.Service
	watch *domain.Watch
	// sent is the id of the last event that the client has.
	sent string
	life time.Duration
}

// event is a run at one moment. Its id is made from what it says, so that every
// process gives the same one.
type event struct {
	id   string
	data []byte
	// last says that no other follows.
	last bool
}

func (f *following) look(ctx context.Context, caller workspace.Caller) (event, error) {
	r, err := f.watch.Look(ctx, caller)
	if err != nil {
		return event{}, err
	}
	shown, err := withCoverage(ctx, f.runs, caller, r)
	if err != nil {
		return event{}, err
	}
	data, err := json.Marshal(shown)
	if err != nil {
		return event{}, fmt.Errorf("encode a run: %w", err)
	}
	sum := sha256.Sum256(data)
	return event{id: hex.EncodeToString(sum[:12]), data: data, last: r.Status == domain.Completed}, nil
}

// stream sends events until the last one, or until the connection's time is over.
// Before each look it makes sure that the caller may still see the run.
func (f *following) stream(hc huma.Context, next event) error {
	w, ok := hc.BodyWriter().(http.ResponseWriter)
	if !ok {
		return errors.New("this listener cannot stream")
	}
	ctx, cancel := context.WithTimeout(hc.Context(), f.life)
	defer cancel()
	s := sender{w: w, control: http.NewResponseController(w)}
	if err := s.send(fmt.Sprintf("retry: %d\n\n", reconnectAfter.Milliseconds())); err != nil {
		return err
	}
	for {
		if err := f.tell(&s, next); err != nil || next.last {
			return err
		}
		f.watch.Wait(ctx, beatEvery)
		if ctx.Err() != nil {
			return nil
		}
		caller, err := api.CallerNow(ctx)
		if err != nil {
			return err
		}
		if next, err = f.look(ctx, caller); err != nil {
			return err
		}
	}
}

// tell sends an event that the client does not have, and now and then a comment
// when there is none.
func (f *following) tell(s *sender, e event) error {
	if e.id == f.sent {
		return s.beat()
	}
	f.sent = e.id
	return s.send("id: " + e.id + "\nevent: run\ndata: " + string(e.data) + "\n\n")
}

// sender writes to a client.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    time.Time
}

// beat sends a comment, which clients ignore, when nothing was sent for a while.
func (s *sender) beat() error {
	if time.Since(s.last) < beatEvery {
		return nil
	}
	return s.send(":\n\n")
}

func (s *sender) send(text string) error {
	// The listener's own time-out is for answers of known length.
	if err := s.control.SetWriteDeadline(time.Now().Add(streamStall)); err != nil {
		return fmt.Errorf("extend the time to write: %w", err)
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	s.last = time.Now()
	return nil
}

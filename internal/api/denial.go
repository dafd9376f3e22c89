package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Bounds of what refused attempts may add to the audit record, per listener.
const (
	// denialsPerMinute is the most events of one member in a minute.
	denialsPerMinute = 60
	// mostDenied bounds the table of members, at about 200 bytes each.
	mostDenied = 20_000
	// denialTimeout bounds how long an answer waits for its event.
	denialTimeout = 5 * time.Second
)

// Denials records the attempts of members that were refused: for lack of a
// capability, or because their credentials have ended. What nobody can be named
// for is only counted. A refusal stays one when its event cannot be written.
type Denials struct {
	events  audit.Recorder
	now     func() time.Time
	counted *prometheus.CounterVec

	mu      sync.Mutex
	members *lru.Cache[denied, *deniedMinute]
}

// denied is who was refused.
type denied struct {
	scope id.Scope
	actor audit.Actor
}

// deniedMinute counts the attempts of one member from its begin on.
type deniedMinute struct {
	begin             time.Time
	recorded, leftOut int
}

// NewDenials registers the metric. An error means that it is registered already.
func NewDenials(events audit.Recorder, r prometheus.Registerer) (*Denials, error) {
	members, err := lru.New[denied, *deniedMinute](mostDenied)
	if err != nil {
		return nil, fmt.Errorf("make the table of refused members: %w", err)
	}
	d := &Denials{events: events, now: time.Now, members: members, counted: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "gatehouse", Subsystem: "api", Name: "denials_total",
		Help: "Attempts answered 401 or 403, by what became of their audit event: recorded, left_out (too many of one member), failed, or none (nobody to name).",
	}, []string{"event"})}
	if err := r.Register(d.counted); err != nil {
		return nil, fmt.Errorf("register the metric of denials: %w", err)
	}
	return d, nil
}

// record notes a refusal of a caller.
func (d *Denials) record(ctx context.Context, c *call, who workspace.Caller, why string) {
	if d == nil {
		return
	}
	if who.Member == 0 && who.Person == 0 {
		d.counted.WithLabelValues("none").Inc()
		return
	}
	payload := map[string]any{"reason": why}
	if who.Role != "" {
		payload["role"] = string(who.Role)
	}
	if !d.admit(denied{who.Scope, who.Actor()}, payload) {
		d.counted.WithLabelValues("left_out").Inc()
		return
	}
	// Whoever hangs up first is recorded like everybody else.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), denialTimeout)
	defer cancel()
	err := d.events.RecordEvent(writing, who.Scope, audit.Event{
		Actor: who.Actor(), Action: audit.AccessDenied, Outcome: audit.Denied,
		TargetType: "api_operation", TargetID: c.operation, Payload: payload,
	})
	if err != nil {
		d.counted.WithLabelValues("failed").Inc()
		c.log.LogAttrs(ctx, slog.LevelError, "a denied attempt could not be recorded", slog.String("operation", c.operation),
			slog.String("request_id", RequestID(ctx)), slog.Any("error", err))
		return
	}
	d.counted.WithLabelValues("recorded").Inc()
}

// admit reports whether an event may be written. The last one of a minute says
// that more may follow unrecorded, and the first one after it how many did.
func (d *Denials) admit(who denied, payload map[string]any) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	minute, ok := d.members.Get(who)
	if !ok {
		minute = &deniedMinute{begin: now}
		d.members.Add(who, minute)
	}
	if now.Sub(minute.begin) >= time.Minute {
		if minute.leftOut > 0 {
			payload["left_out_before"] = minute.leftOut
		}
		*minute = deniedMinute{begin: now}
	}
	if minute.recorded == denialsPerMinute {
		minute.leftOut++
		return false
	}
	minute.recorded++
	if minute.recorded == denialsPerMinute {
		payload["limit_reached"] = true
	}
	return true
}

// endedCaller returns whoever credentials stood for that have ended, or nobody.
func endedCaller(err error) (who workspace.Caller, why string) {
	var ended *workspace.EndedError
	if errors.As(err, &ended) {
		return ended.Was, ended.Why
	}
	return workspace.Caller{}, ""
}

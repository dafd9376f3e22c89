package notification

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Kind says what a notification is about.
type Kind string

// The kinds.
const (
	// RunEnded is about a run that the member started.
	RunEnded Kind = "run_ended"
	// WebhookDisabled is about an endpoint that was switched off because nothing
	// could be delivered to it. Admins are told.
	WebhookDisabled Kind = "webhook_disabled"
	// SchedulePaused is about a schedule that was paused because its runs failed.
	// Admins are told.
	SchedulePaused Kind = "schedule_paused"
)

// KeptFor is how long a notification stays, read or not.
const KeptFor = 90 * 24 * time.Hour

// Notification is one entry of a member's inbox.
type Notification struct {
	ID        id.Notification
	Kind      Kind
	CreatedAt time.Time
	// ReadAt is nil until the member has read it.
	ReadAt *time.Time
	// Run is what a RunEnded is about; zero for others.
	Run RunSummary
	// Webhook is what a WebhookDisabled is about; zero for others.
	Webhook WebhookSummary
	// Schedule is what a SchedulePaused is about.
	Schedule ScheduleSummary
}

// RunSummary is what is told of a run.
type RunSummary struct {
	ID         id.Run
	Operation  operation.Type
	Outcome    run.Outcome
	Reason     operation.Code
	Connection id.Connection
	// ConnectionName is empty for a run without a connection.
	ConnectionName string
}

// WebhookSummary is what is told of an endpoint. Its address, which may hold a
// token, is not.
type WebhookSummary struct {
	ID          id.Webhook
	Description string
	// Reason is why it is disabled now; empty once it is enabled again.
	Reason string
}

// ScheduleSummary is what is told of a schedule.
type ScheduleSummary struct {
	Connection id.Connection
	Name       string
	// Reason is why it is paused now; empty once it goes on.
	Reason operation.Code
}

// Text says what happened in one line, and more of it in another.
func (n Notification) Text() (title, message string) {
	switch n.Kind {
	case WebhookDisabled:
		return n.Webhook.text()
	case SchedulePaused:
		return n.Schedule.text()
	}
	return n.Run.text()
}

func (r RunSummary) text() (title, message string) {
	what := string(r.Operation)
	if op, err := operation.Get(r.Operation); err == nil {
		what = op.Verb + " " + op.Describe(r.ConnectionName, "")
	}
	title = fmt.Sprintf("%s: %s", what, strings.ReplaceAll(string(r.Outcome), "_", " "))
	if r.Reason == "" {
		return title, fmt.Sprintf("%s has ended.", r.ID)
	}
	reason := operation.Explain(r.Reason)
	return title, fmt.Sprintf("%s. %s", reason.Short, reason.Explanation)
}

func (s ScheduleSummary) text() (title, message string) {
	title = fmt.Sprintf("The schedule of %s (%s) was paused", s.Name, s.Connection)
	if s.Reason == "" {
		return title, "It goes on again since."
	}
	reason := operation.Explain(s.Reason)
	return title, fmt.Sprintf("One run after the other has failed. The last one: %s. %s Mend that, and resume the schedule.", reason.Short, reason.Explanation)
}

func (w WebhookSummary) text() (title, message string) {
	title = fmt.Sprintf("Webhook %s was switched off", w.ID)
	if w.Description != "" {
		title = fmt.Sprintf("Webhook %s (%s) was switched off", w.ID, w.Description)
	}
	switch w.Reason {
	case "gone":
		return title, "Its endpoint answered 410 Gone. Enable it once the endpoint takes deliveries again, and replay what it missed."
	case "":
		return title, "It has been enabled again since."
	}
	return title, "Nothing could be delivered to it for five days. Mend its endpoint, enable it, and replay what it missed."
}

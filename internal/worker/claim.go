package worker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// claims asks for runs, one after the other.
type claims struct {
	worker *Worker
	log    *slog.Logger
	// trouble is what kept the last claim from being answered; it is logged
	// when it changes and not at every attempt.
	trouble string
}

// next returns the next run; ok is false when the context has ended.
func (c *claims) next(ctx context.Context) (a *workerapi.Assignment, ok bool) {
	request := workerapi.ClaimRequest{Worker: c.worker.config.Name, Queues: c.worker.config.Queues, WaitSeconds: int(workerapi.MaxWait.Seconds())}
	for failures := 0; ctx.Err() == nil; {
		request.LeaseID = newLeaseID()
		a, err := c.worker.platform.claim(ctx, c.worker.config.Token, request)
		if ctx.Err() != nil && a == nil {
			c.abandon(ctx, request.LeaseID)
			break
		}
		if err == nil && a != nil {
			err = validateAssignment(a)
		}
		if err != nil {
			c.failed(ctx, err)
			pause(ctx, claimBackoff().after(failures))
			failures++
			continue
		}
		failures = 0
		c.answered(ctx)
		if a != nil {
			return a, true
		}
	}
	return nil, false
}

// abandonTimeout bounds how long a worker without a run takes to stop.
const abandonTimeout = 2 * time.Second

// abandon gives up a claim whose answer was not waited for: the platform may have
// made it just before it saw that nobody waits. When this fails, too, the run is
// left to the end of its lease.
func (c *claims) abandon(ctx context.Context, lease string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	if err := c.worker.platform.abandon(ctx, c.worker.config.Token, lease); err != nil {
		c.log.WarnContext(ctx, "a claim could not be abandoned; if it was made, its run waits for the end of the lease", slog.Any("error", err))
	}
}

// newLeaseID is what the next claim is to be known by.
func newLeaseID() string {
	var lease [16]byte
	rand.Read(lease[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(lease[:])
}

func (c *claims) failed(ctx context.Context, err error) {
	if now := troubleOf(err); now != c.trouble {
		c.trouble = now
		c.log.WarnContext(ctx, "no run can be claimed; the worker keeps trying", slog.Any("error", err))
	}
}

func (c *claims) answered(ctx context.Context) {
	if c.trouble != "" {
		c.trouble = ""
		c.log.InfoContext(ctx, "runs can be claimed again")
	}
}

// validateAssignment refuses what could only be executed wrongly.
func validateAssignment(a *workerapi.Assignment) error {
	switch {
	case a.RunID < 1, a.Epoch < 1, len(a.LeaseID) != 32, a.Token == "":
		return errors.New("the platform's assignment names no run, epoch, lease or token")
	case a.HeartbeatSeconds < 1, a.LeaseSeconds <= a.HeartbeatSeconds, a.NextBatch < 0:
		return errors.New("the platform's assignment has impossible figures")
	}
	return nil
}

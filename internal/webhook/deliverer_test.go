package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// broken is a queue whose database is down.
type broken struct{ webhook.DeliveryStore }

var errClaim, errForget = errors.New("claiming failed"), errors.New("forgetting failed")

func (broken) Claim(context.Context, int) ([]webhook.Ref, error) { return nil, errClaim }
func (broken) Forget(context.Context) error                      { return errForget }

// heard passes records on.
type heard struct {
	slog.Handler
	records chan slog.Record
}

func (h heard) Enabled(context.Context, slog.Level) bool { return true }

func (h heard) Handle(_ context.Context, r slog.Record) error {
	h.records <- r
	return nil
}

// What is logged says what failed: nobody looks for lost deliveries because old
// events were kept a little longer.
func TestTheLogSaysWhatFailed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	records := make(chan slog.Record)
	d := &webhook.Deliverer{Store: broken{}, Log: slog.New(heard{records: records})}
	var running sync.WaitGroup
	running.Go(func() { _ = d.Run(ctx); close(records) })
	said := map[error]string{}
	for r := range records {
		r.Attrs(func(a slog.Attr) bool {
			if err, ok := a.Value.Any().(error); ok {
				said[err] = r.Message
			}
			return true
		})
		if len(said) == 2 {
			cancel()
		}
	}
	running.Wait()
	require.Contains(t, said[errClaim], "could not be delivered")
	require.Contains(t, said[errForget], "old events of webhooks could not be removed")
}

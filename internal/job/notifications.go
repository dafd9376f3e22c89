package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

type forgetNotificationsArgs struct{}

// Kind names the job in the queue.
func (forgetNotificationsArgs) Kind() string { return "forget_notifications" }

// forgetNotificationsEvery is how often old notifications are looked for. How
// long they are kept is their package's to say.
const forgetNotificationsEvery = time.Hour

type forgetNotificationsWorker struct {
	river.WorkerDefaults[forgetNotificationsArgs]
	forget func(ctx context.Context) error
}

func (w *forgetNotificationsWorker) Timeout(*river.Job[forgetNotificationsArgs]) time.Duration {
	return roundTimeout
}

func (w *forgetNotificationsWorker) Work(ctx context.Context, _ *river.Job[forgetNotificationsArgs]) error {
	return w.forget(ctx)
}

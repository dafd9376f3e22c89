package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/gatehouse-project/gatehouse/internal/onboarding"
)

type onboardingArgs struct{}

// Kind names the job in the queue.
func (onboardingArgs) Kind() string { return "onboarding" }

// onboardingEvery bounds how long a session stands still whose next start was
// lost with the process that should have made it.
const onboardingEvery = 15 * time.Second

type onboardingWorker struct {
	river.WorkerDefaults[onboardingArgs]
	keeper *onboarding.Keeper
}

func (w *onboardingWorker) Timeout(*river.Job[onboardingArgs]) time.Duration { return roundTimeout }

func (w *onboardingWorker) Work(ctx context.Context, _ *river.Job[onboardingArgs]) error {
	return w.keeper.Round(ctx)
}

func onboardingRound() *river.PeriodicJob {
	opts := roundOpts()
	return river.NewPeriodicJob(river.PeriodicInterval(onboardingEvery), func() (river.JobArgs, *river.InsertOpts) { return onboardingArgs{}, opts }, nil)
}

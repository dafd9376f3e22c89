package worker

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

func registerBudgets(a huma.API, d Discovery) {
	register(a, http.MethodPost, "take-budget", "/v1/worker/runs/{run_id}/budget", d.takeBudget)
}

type budgetInput struct {
	Held
	Body workerapi.BudgetRequest
}

type budgetOutput struct{ Body workerapi.BudgetAnswer }

func (d Discovery) takeBudget(ctx context.Context, in *budgetInput) (*budgetOutput, error) {
	f, _, err := in.fence(in.Body.Lease)
	if err != nil {
		return nil, err
	}
	g, err := d.Budgets.Take(ctx, f, budget.Ask{
		Integration: integration.ID(in.Body.IntegrationID), Scope: in.Body.Scope, Key: in.Body.Key, Want: in.Body.Want, Least: in.Body.Least,
		Chunk: in.Body.Chunk, Unused: in.Body.Unused, Leaves: in.Body.Leaves, Throttled: in.Body.Throttled, RetryAfter: in.Body.RetryAfter(),
	})
	if err != nil {
		return nil, err
	}
	api.Accept(ctx)
	return &budgetOutput{Body: workerapi.BudgetAnswer{
		Granted: g.Tokens, Chunk: g.Chunk, GoodForMilliseconds: budget.GoodFor.Milliseconds(),
		// Rounded up, so that whoever comes when told to is not too early.
		WaitMilliseconds: (g.Wait + time.Millisecond - 1).Milliseconds(), Paused: g.Paused,
	}}, nil
}

package throttling

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on throttle budgets.
type operations struct {
	budgets *budget.Service
}

// Mount adds the operations on throttle budgets.
func Mount(a huma.API, budgets *budget.Service) {
	o := &operations{budgets: budgets}
	tags := []string{"Throttling"}
	api.Register(a, huma.Operation{
		OperationID: "list-throttle-budgets", Method: http.MethodGet, Path: "/v1/throttle-budgets", Tags: tags, Extensions: api.Needs(workspace.ReadWorkspace),
		Summary: "List throttle budgets",
		Description: "How much there is of what providers allow, for each account, organisation or tenant that runs of the workspace have called and whose records are kept. Others in the " +
			"tenant may share a budget, as they share what the provider allows; they are not shown. Needs workspace.read.",
	}, o.listBudgets)
	api.Register(a, huma.Operation{
		OperationID: "list-throttle-limits", Method: http.MethodGet, Path: "/v1/throttle-limits", Tags: tags, Extensions: api.Needs(workspace.ReadAdministration),
		Summary:     "List throttle limits",
		Description: "What the budgets of each throttle scope of the catalog allow. Needs administration.read.",
	}, o.listLimits)
	api.Register(a, huma.Operation{
		OperationID: "set-throttle-limit", Method: http.MethodPut, Path: "/v1/throttle-limits/{throttle_scope}", Tags: tags, Extensions: api.Needs(workspace.ManageThrottling),
		Summary:     "Set a throttle limit",
		Description: "Puts a limit in the place of the declared one, for all budgets of the scope in the tenant, at once. Needs throttling.manage.",
		Errors:      []int{http.StatusNotFound},
	}, o.setLimit)
	api.Register(a, huma.Operation{
		OperationID: "clear-throttle-limit", Method: http.MethodDelete, Path: "/v1/throttle-limits/{throttle_scope}", Tags: tags, Extensions: api.Needs(workspace.ManageThrottling),
		Summary:       "Clear a throttle limit",
		Description:   "Puts the declared limit in force again. Needs throttling.manage.",
		DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusNotFound},
	}, o.clearLimit)
}

type listBudgetsInput struct {
	api.Page
	Connection api.QueryID[id.Connection] `query:"connection_id" doc:"Only budgets that this connection takes part in."`
}

// BudgetList is a page of budgets.
type BudgetList struct {
	Budgets    []Budget `json:"throttle_budgets" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

type listBudgetsOutput struct{ Body BudgetList }

// LimitList is all throttle scopes of the catalog.
type LimitList struct {
	Limits []Limit `json:"throttle_limits" nullable:"false"`
}

type listLimitsOutput struct{ Body LimitList }

// Named is the scope that a path names. It is exported because huma finds no
// parameters in an embedded struct that is not.
type Named struct {
	Scope string `path:"throttle_scope" maxLength:"127" example:"aws.iam"`
}

type setLimitInput struct {
	Named
	Body ThrottleLimit
}

type limitOutput struct{ Body Limit }

func (o *operations) listBudgets(ctx context.Context, in *listBudgetsInput) (*listBudgetsOutput, error) {
	f := budget.LevelFilter{Connection: in.Connection.ID, Limit: in.Fetch()}
	last, err := in.Last()
	if err != nil {
		return nil, err
	}
	copy(f.After[:], last)
	found, err := o.budgets.Levels(ctx, api.CallerFrom(ctx), f)
	if err != nil {
		return nil, err
	}
	items, next := api.CutAt(in.Page, found, func(l budget.Level) string { return string(l.Budget[:]) })
	out := &listBudgetsOutput{Body: BudgetList{Budgets: make([]Budget, len(items)), NextCursor: next}}
	for i, l := range items {
		out.Body.Budgets[i] = fromLevel(l)
	}
	return out, nil
}

func (o *operations) listLimits(ctx context.Context, _ *struct{}) (*listLimitsOutput, error) {
	found, err := o.budgets.Limits(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &listLimitsOutput{Body: LimitList{Limits: make([]Limit, len(found))}}
	for i, l := range found {
		out.Body.Limits[i] = fromLimit(l)
	}
	return out, nil
}

func (o *operations) setLimit(ctx context.Context, in *setLimitInput) (*limitOutput, error) {
	l, err := o.budgets.SetLimit(ctx, api.CallerFrom(ctx), budget.ParseScopeID(in.Scope), in.Body.domain())
	if err != nil {
		return nil, err
	}
	return &limitOutput{Body: fromLimit(l)}, nil
}

func (o *operations) clearLimit(ctx context.Context, in *Named) (*struct{}, error) {
	return nil, o.budgets.ClearLimit(ctx, api.CallerFrom(ctx), budget.ParseScopeID(in.Scope))
}

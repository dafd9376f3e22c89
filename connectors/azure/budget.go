package azure

import "github.com/gatehouse-project/gatehouse/connector"

// The throttle scopes.
const (
	scopeGraph        = "graph"
	scopeTenant       = "arm_tenant"
	scopeSubscription = "arm_subscription"
	scopeEndpoint     = "endpoint"
)

// throttleScopes stay below what Microsoft publishes, since the tenant's other
// programs call, too. Graph: "Microsoft Graph service-specific throttling
// limits", identity and access: 3,500 resource units in 10 seconds for the
// smallest tenants. Resource Manager: "How Azure Resource Manager throttles
// requests": a bucket of 250 reads that gains 25 a second, for each principal and
// subscription, and the same for the tenant.
func throttleScopes() []connector.ThrottleScope {
	return []connector.ThrottleScope{
		{
			Name: scopeGraph, Description: "Microsoft Graph's directory, in resource units", Key: []string{"tenant"},
			Limit: connector.ThrottleLimit{Calls: 2400, PerSeconds: 10, Burst: 1000, Concurrent: 16},
		},
		{
			Name: scopeTenant, Description: "Resource Manager, calls above subscriptions", Key: []string{"tenant"},
			Limit: connector.ThrottleLimit{Calls: 15, PerSeconds: 1, Burst: 150},
		},
		{
			Name: scopeSubscription, Description: "Resource Manager, calls in a subscription", Key: []string{"tenant", "subscription"},
			Limit: connector.ThrottleLimit{Calls: 15, PerSeconds: 1, Burst: 150},
		},
		{
			Name: scopeEndpoint, Description: "Any service at a custom endpoint, whose limits are not Microsoft's", Key: []string{"endpoint", "tenant", "service"},
			Limit: connector.ThrottleLimit{Calls: 2000, PerSeconds: 1, Burst: 2000},
		},
	}
}

// meter says which budget a call takes from. The tenant's id is the token's, and
// the subscription's is Resource Manager's: never what somebody entered.
type meter struct {
	// budget is nil when nobody counts.
	budget connector.Budget
	custom string
}

func (m meter) use(c call, tenant string) (use connector.Use, ok bool) {
	if m.budget == nil || tenant == "" {
		return use, false
	}
	use = connector.Use{Calls: c.cost}
	switch {
	case m.custom != "":
		use.Scope, use.Key = scopeEndpoint, []string{m.custom, tenant, c.service}
	case c.service == serviceGraph:
		use.Scope, use.Key = scopeGraph, []string{tenant}
	case c.subscription != "":
		use.Scope, use.Key = scopeSubscription, []string{tenant, c.subscription}
	default:
		use.Scope, use.Key = scopeTenant, []string{tenant}
	}
	return use, true
}

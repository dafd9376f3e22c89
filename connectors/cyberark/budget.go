package cyberark

import "github.com/gatehouse-project/gatehouse/connector"

// The throttle scopes.
const (
	scopeTenant   = "tenant"
	scopeEndpoint = "endpoint"
)

// throttleScopes are a guess: CyberArk publishes no figures, and says only that it
// answers 429. Refusals slow a budget down further.
func throttleScopes() []connector.ThrottleScope {
	return []connector.ThrottleScope{
		{
			Name: scopeTenant, Description: "All calls of a tenant", Key: []string{"tenant"},
			Limit: connector.ThrottleLimit{Calls: 10, PerSeconds: 1, Burst: 20, Concurrent: 4},
		},
		{
			Name: scopeEndpoint, Description: "All calls at a custom endpoint, whose limits are not CyberArk's", Key: []string{"endpoint", "tenant"},
			Limit: connector.ThrottleLimit{Calls: 2000, PerSeconds: 1, Burst: 2000},
		},
	}
}

// uses says which budget a call takes from, by the tenant that CyberArk named.
func (c *client) uses(who identity) []connector.Use {
	if c.custom != "" {
		return []connector.Use{{Scope: scopeEndpoint, Key: []string{c.custom, who.tenant}}}
	}
	return []connector.Use{{Scope: scopeTenant, Key: []string{who.tenant}}}
}

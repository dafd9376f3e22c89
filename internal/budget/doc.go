// Package budget keeps calls to a provider below what the provider allows, over all
// workers of a tenant.
//
// A connector declares what its provider counts calls by (connector.ThrottleScope);
// for each key of such a scope there is one token bucket in the database. Workers
// ask for tokens in chunks, a few times a second however many calls they make, and
// tell when the provider refused a call. Through the package pass an [Ask] from
// whoever holds a run, the [Key] that it names, and the [Grant] that the [Store]
// makes of it; and the limits that the tenant's administrators put in place of what
// connectors declare.
//
// It never calls a provider, and never shows a workspace who else takes part in a
// budget. Why the buckets are beside the workspaces and how they are shared fairly
// is decision 0023.
package budget

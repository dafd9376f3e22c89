// Package licence serves /v1/licence: what the tenant may use, and how a tenant
// admin puts another licence in force.
//
// Whether a licence is good is the domain's to say. No answer holds the text of a
// licence, and none counts what other workspaces have for someone who may not
// install one.
package licence

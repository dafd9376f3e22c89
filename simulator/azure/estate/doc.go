// Package estate invents an Entra ID tenant and the Azure subscriptions that
// trust it, for the people of one made-up company: users and guests, nested
// groups with owners, applications and their service principals, directory
// roles, administrative units, consents, and beneath the tenant's management
// groups the subscriptions, resource groups and role assignments.
//
// It is the truth that the Azure simulator serves and that tests compare a
// discovered graph with. Everything follows from people and seed; users are
// computed when somebody looks at them, so that a tenant of any size costs a
// few bytes for each. It speaks no protocol and never changes after New.
//
// What exists follows Microsoft's public documentation: Microsoft Graph's
// resource types, "Microsoft Entra built-in roles", "Azure built-in roles",
// "Understand Azure role definitions", "Azure role assignments", "Azure deny
// assignments". Built-in roles carry their real ids; their long lists of
// actions are shortened to those that matter for access.
package estate

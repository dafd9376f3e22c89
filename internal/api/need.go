package api

import (
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// WorkspaceHeader names the workspace that a person's request works in.
const WorkspaceHeader = "Gatehouse-Workspace"

// capabilityExtension is where the OpenAPI document says what an operation needs.
const capabilityExtension = "x-capability"

// What an operation may need instead of a capability.
const (
	// anyCredentials is for operations about the credentials themselves.
	anyCredentials = "credentials"
	// anyMember is for operations that every member of a workspace may call.
	anyMember = "member"
)

// Needs says which capability an operation asks for; it is for
// [huma.Operation.Extensions]. The use case enforces it, and a test holds the two
// together for every operation and role.
func Needs(c workspace.Capability) map[string]any {
	return map[string]any{capabilityExtension: string(c)}
}

// NeedsMember is [Needs] for an operation that every member may call.
func NeedsMember() map[string]any { return map[string]any{capabilityExtension: anyMember} }

// NeedsCredentials is [Needs] for an operation about the credentials themselves:
// it works without a workspace, too.
func NeedsCredentials() map[string]any { return map[string]any{capabilityExtension: anyCredentials} }

func needOf(op *huma.Operation) string {
	need, _ := op.Extensions[capabilityExtension].(string)
	return need
}

// refusals are the statuses with which credentials are refused, as far as the
// operation does not document them itself.
func refusals(op *huma.Operation) []int {
	all := []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusUnprocessableEntity}
	need := workspace.Capability(needOf(op))
	if slices.Contains(workspace.Capabilities(), need) {
		all = append(all, http.StatusForbidden)
	}
	if need.Changes() && need != anyMember && need != anyCredentials {
		all = append(all, http.StatusConflict)
	}
	return slices.DeleteFunc(all, func(status int) bool { return slices.Contains(op.Errors, status) })
}

func documentWorkspace() *huma.Param {
	return &huma.Param{
		Name: WorkspaceHeader, In: "header", Example: "w_1", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The workspace that the request works in, or `tenant` for the tenant level. A session has to name it; a key has its own, " +
			"and any other is not found.",
	}
}

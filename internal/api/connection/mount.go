package connection

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on connections.
type operations struct {
	connections *domain.Service
	tester      Tester
}

// Mount adds the operations on connections.
func Mount(a huma.API, connections *domain.Service, tester Tester) {
	o := &operations{connections: connections, tester: tester}
	const one = "/v1/connections/{connection_id}"
	tags := []string{"Connections"}
	api.Register(a, huma.Operation{
		OperationID: "list-connections", Method: http.MethodGet, Path: "/v1/connections", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "List connections",
		Description: "The workspace's connections in order of id, which is that of their creation. Filters narrow together. A page continues " +
			"after the last id of the one before: what is created or deleted meanwhile makes nothing else appear twice or be left out. " +
			"Needs workspace.read.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "create-connection", Method: http.MethodPost, Path: "/v1/connections", Tags: tags, DefaultStatus: http.StatusCreated,
		Extensions: api.Needs(workspace.ManageConnections),
		Summary:    "Create a connection",
		Description: "Checks the configuration against the integration's schema, encrypts its secret fields and stores both halves. " +
			"Nothing is asked of the provider; test the connection for that. With an Idempotency-Key the request may be repeated. " +
			"Needs connections.manage.",
		Errors: []int{http.StatusConflict},
	}, o.create)
	api.Register(a, huma.Operation{
		OperationID: "get-connection", Method: http.MethodGet, Path: one, Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "Get a connection", Description: "Without secrets. The ETag is for If-Match. Needs workspace.read.",
		Errors: []int{http.StatusNotFound},
	}, o.get)
	update := huma.Operation{
		OperationID: "update-connection", Method: http.MethodPatch, Path: one, Tags: tags,
		Extensions: api.Needs(workspace.ManageConnections),
		Summary:    "Change a connection",
		Description: "A JSON merge patch (RFC 7396), as application/merge-patch+json or application/json: what is left out stays, objects are " +
			"merged, null removes. Secrets that are not named stay; a configuration that changes is encrypted anew. With If-Match, the change is " +
			"refused with 412 unless the connection still has that version; the answer's ETag is the present one. Without it, one of two changes at " +
			"the same moment is refused with 409. Needs connections.manage.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}
	api.Register(a, update, o.update)
	api.TakesMergePatch(a, update)
	api.Register(a, huma.Operation{
		OperationID: "make-default-connection", Method: http.MethodPost, Path: one + "/make-default", Tags: tags,
		Extensions: api.Needs(workspace.ManageConnections),
		Summary:    "Make a connection the default",
		Description: "Of its target, in place of the one that was, in one step. Operations that name a target and no connection use its default. " +
			"Needs connections.manage.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, o.makeDefault)
	api.Register(a, huma.Operation{
		OperationID: "pause-schedule", Method: http.MethodPost, Path: one + "/pause-schedule", Tags: tags,
		Extensions: api.Needs(workspace.ManageConnections),
		Summary:    "Pause a connection's schedule",
		Description: "It starts nothing until somebody resumes it, whatever succeeds or is changed meanwhile; people may still start the connection. " +
			"A schedule that is paused already stays as it is. Needs connections.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.pauseSchedule)
	api.Register(a, huma.Operation{
		OperationID: "resume-schedule", Method: http.MethodPost, Path: one + "/resume-schedule", Tags: tags,
		Extensions: api.Needs(workspace.ManageConnections),
		Summary:    "Resume a connection's schedule",
		Description: "Ends the pause that ten failures in a row, or somebody, began, and forgets failures. What came due meanwhile is made up for by one run, in a " +
			"moment. A schedule that is not paused stays as it is. Needs connections.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.resumeSchedule)
	api.Register(a, huma.Operation{
		OperationID: "delete-connection", Method: http.MethodDelete, Path: one, Tags: tags, DefaultStatus: http.StatusNoContent,
		Extensions:  api.Needs(workspace.ManageConnections),
		Summary:     "Delete a connection",
		Description: "Deletes the credential for good and frees the name. Runs and audit events stay. If-Match guards as it does a change. Needs connections.manage.",
		Errors:      []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}, o.delete)
	api.Register(a, huma.Operation{
		OperationID: "test-connection", Method: http.MethodPost, Path: one + "/test", Tags: tags,
		Extensions: api.Needs(workspace.ManageConnections),
		Summary:    "Test a connection",
		Description: "Starts connection.test through the gate and waits for its end, at most two minutes or so. A test that finds " +
			"something wrong is a success of this operation: see status and remediation. Needs connections.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.test)
	api.Register(a, huma.Operation{
		OperationID: "list-connection-tests", Method: http.MethodGet, Path: one + "/tests", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "List a connection's tests", Description: "The newest first. Needs workspace.read.",
		Errors: []int{http.StatusNotFound},
	}, o.listTests)
	o.mountTargets(a)
}

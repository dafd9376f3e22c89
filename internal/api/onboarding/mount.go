package onboarding

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on sessions.
type operations struct {
	sessions *domain.Service
}

// Mount adds the operations on onboarding sessions.
func Mount(a huma.API, sessions *domain.Service) {
	o := &operations{sessions: sessions}
	const all, one = "/v1/onboarding", "/v1/onboarding/{session_id}"
	tags := []string{"Onboarding"}
	changing := []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity}
	api.Register(a, huma.Operation{
		OperationID: "start-onboarding", Method: http.MethodPost, Path: all, Tags: tags, DefaultStatus: http.StatusCreated,
		Extensions: api.Needs(workspace.StartOperations), Summary: "Start an onboarding session",
		Description: "A way through connecting a provider that is kept by the server: integration, connection, verification, first operations. " +
			"The connection is made by POST /v1/connections; a session never takes a credential. One that nobody touches for 30 days counts as abandoned. " +
			"With an Idempotency-Key the request may be repeated.",
	}, o.start)
	api.Register(a, huma.Operation{
		OperationID: "list-onboarding", Method: http.MethodGet, Path: all, Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace), Summary: "List onboarding sessions", Description: "The newest first.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "get-onboarding", Method: http.MethodGet, Path: one, Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace), Summary: "Get an onboarding session",
		Description: "Where it stands, what to do next, and the permissions to grant at the provider. The ETag is for If-Match.",
		Errors:      []int{http.StatusNotFound},
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "pick-onboarding-connection", Method: http.MethodPut, Path: one + "/connection", Tags: tags,
		Extensions: api.Needs(workspace.StartOperations), Summary: "Pick the session's connection",
		Description: "A connection to the session's integration. Another one than before has to be verified anew, and a bootstrap that stopped begins from its start.",
		Errors:      changing,
	}, o.pick)
	api.Register(a, huma.Operation{
		OperationID: "start-onboarding-operation", Method: http.MethodPost, Path: one + "/operations/{operation}/start", Tags: tags,
		Extensions: api.Needs(workspace.ManageConnections), Summary: "Verify the session's connection",
		Description: "Asks the gate for connection.test, the one operation of this step. The session shows what it found: see `verification`. With an Idempotency-Key the request may be repeated.",
		Errors:      changing,
	}, o.verify)
	api.Register(a, huma.Operation{
		OperationID: "start-onboarding-bootstrap", Method: http.MethodPost, Path: one + "/bootstrap", Tags: tags,
		Extensions: api.Needs(workspace.StartOperations), Summary: "Start the session's operations",
		Description: "They start one after the other, in the order given: the first now, each other one when its predecessor has ended, whether or not anybody looks. " +
			"One that succeeded in part lets the next one start; one that failed, was cancelled or blocked stops the session. Where another run holds what an operation needs, " +
			"it waits. The connection has to be verified with the configuration that it has now. With an Idempotency-Key the request may be repeated.",
		Errors: changing,
	}, o.bootstrap)
	api.Register(a, huma.Operation{
		OperationID: "resume-onboarding", Method: http.MethodPost, Path: one + "/resume", Tags: tags,
		Extensions: api.Needs(workspace.StartOperations), Summary: "Resume a stopped session",
		Description: "Goes on with the operation that did not succeed; what succeeded is not done again. The connection has to be verified with the configuration that it has now. " +
			"With an Idempotency-Key the request may be repeated.",
		Errors: changing,
	}, o.resume)
	api.Register(a, huma.Operation{
		OperationID: "abandon-onboarding", Method: http.MethodPost, Path: one + "/abandon", Tags: tags,
		Extensions: api.Needs(workspace.StartOperations), Summary: "Abandon an onboarding session",
		Description: "Ends it for good. Its connection stays, and a run that it has started goes on; nothing further is started.",
		Errors:      changing,
	}, o.abandon)
}

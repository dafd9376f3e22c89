package connection

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
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
		Summary: "List connections", Description: "The workspace's connections in order of id. Needs workspace.read.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "create-connection", Method: http.MethodPost, Path: "/v1/connections", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Create a connection",
		Description: "Checks the configuration against the integration's schema, encrypts its secret fields and stores both halves. " +
			"Nothing is asked of the provider; test the connection for that. Needs connections.manage.",
		Errors: []int{http.StatusConflict},
	}, o.create)
	api.Register(a, huma.Operation{
		OperationID: "get-connection", Method: http.MethodGet, Path: one, Tags: tags,
		Summary: "Get a connection", Description: "Without secrets. The ETag is for If-Match. Needs workspace.read.",
		Errors: []int{http.StatusNotFound},
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "update-connection", Method: http.MethodPatch, Path: one, Tags: tags,
		Summary: "Change a connection",
		Description: "Fields that are left out stay. The configuration is merged field by field: secrets that are not named stay, " +
			"a field that is null is removed. Scope, schedule and metadata are replaced whole. With If-Match, the change is " +
			"refused with 412 unless the connection still has that version. Needs connections.manage.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, o.update)
	api.Register(a, huma.Operation{
		OperationID: "delete-connection", Method: http.MethodDelete, Path: one, Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary:     "Delete a connection",
		Description: "Deletes the credential for good. Runs and audit events stay. Needs connections.manage.",
		Errors:      []int{http.StatusNotFound},
	}, o.delete)
	api.Register(a, huma.Operation{
		OperationID: "test-connection", Method: http.MethodPost, Path: one + "/test", Tags: tags,
		Summary: "Test a connection",
		Description: "Starts connection.test through the gate and waits for its end, at most two minutes or so. A test that finds " +
			"something wrong is a success of this operation: see status and remediation. Needs connections.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.test)
	api.Register(a, huma.Operation{
		OperationID: "list-connection-tests", Method: http.MethodGet, Path: one + "/tests", Tags: tags,
		Summary: "List a connection's tests", Description: "The newest first. Needs workspace.read.",
		Errors: []int{http.StatusNotFound},
	}, o.listTests)
}

func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// versionOf reads If-Match. Nothing and * match every version; what is no ETag
// of a connection matches none, which is version 0.
func versionOf(ifMatch string) *int64 {
	ifMatch = strings.TrimSpace(ifMatch)
	if ifMatch == "" || ifMatch == "*" {
		return nil
	}
	var version int64
	if text, err := strconv.Unquote(ifMatch); err == nil {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			version = n
		}
	}
	return &version
}

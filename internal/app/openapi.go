package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apiaccess "github.com/gatehouse-project/gatehouse/internal/api/access"
	apiaudit "github.com/gatehouse-project/gatehouse/internal/api/audit"
	apichange "github.com/gatehouse-project/gatehouse/internal/api/change"
	apiconnection "github.com/gatehouse-project/gatehouse/internal/api/connection"
	apientity "github.com/gatehouse-project/gatehouse/internal/api/entity"
	apiexport "github.com/gatehouse-project/gatehouse/internal/api/export"
	apiidentity "github.com/gatehouse-project/gatehouse/internal/api/identity"
	apiintegration "github.com/gatehouse-project/gatehouse/internal/api/integration"
	apilicence "github.com/gatehouse-project/gatehouse/internal/api/licence"
	apinotification "github.com/gatehouse-project/gatehouse/internal/api/notification"
	apionboarding "github.com/gatehouse-project/gatehouse/internal/api/onboarding"
	apioperation "github.com/gatehouse-project/gatehouse/internal/api/operation"
	apirun "github.com/gatehouse-project/gatehouse/internal/api/run"
	apithrottling "github.com/gatehouse-project/gatehouse/internal/api/throttling"
	apiwebhook "github.com/gatehouse-project/gatehouse/internal/api/webhook"
	apiworkspace "github.com/gatehouse-project/gatehouse/internal/api/workspace"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/notification"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

//go:generate sh -c "go run ../../cmd/gatehouse openapi > ../../docs/openapi.json"

// OpenAPI returns the document of the public API, all services together. It is
// made from the operations themselves; nothing is served.
func OpenAPI() ([]byte, error) {
	catalog, err := newCatalog(ConnectorSettings{})
	if err != nil {
		return nil, err
	}
	// The version of the API, not of a build: the document is checked in.
	a := api.New(http.NewServeMux(), api.Config{Version: "1", Log: slog.New(slog.DiscardHandler)})
	apiintegration.Mount(a, catalog, nil)
	apiconnection.Mount(a, &connection.Service{}, nil)
	apioperation.Mount(a, &run.Gate{})
	apirun.Mount(a, &run.Service{})
	apionboarding.Mount(a, &onboarding.Service{Catalog: catalog})
	apinotification.Mount(a, &notification.Service{})
	apiwebhook.Mount(a, &webhook.Service{})
	apientity.Mount(a, &graph.Questions{})
	apiidentity.Mount(a, &identity.Service{})
	apiaccess.Mount(a, &graph.Questions{})
	apiexport.Mount(a, &export.Service{})
	apichange.Mount(a, &graph.Questions{})
	apithrottling.Mount(a, &budget.Service{})
	apiworkspace.Mount(a, &workspace.Service{})
	apilicence.Mount(a, &licence.Service{})
	apiaudit.Mount(a, &auditlog.Service{})
	apiaudit.MountTenant(a, &auditlog.Service{}, &workspace.Service{})
	raw, err := a.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	var readable bytes.Buffer
	if err := json.Indent(&readable, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("format the OpenAPI document: %w", err)
	}
	readable.WriteByte('\n')
	return readable.Bytes(), nil
}

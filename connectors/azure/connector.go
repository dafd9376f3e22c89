package azure

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// requestTimeout is how long one call may take, its answer included.
const requestTimeout = 2 * time.Minute

// Connector makes sessions with Entra ID and Azure. It has no state.
type Connector struct {
	timeout time.Duration
	// pageRecords is from how many records a page is worth sending.
	pageRecords int
}

var (
	_ connector.Connector          = Connector{}
	_ connector.IdentifyingSession = (*session)(nil)
)

// New returns the connector.
func New() Connector { return Connector{timeout: requestTimeout, pageRecords: records.Enough} }

// Manifest describes the connector.
func (Connector) Manifest() connector.Manifest { return manifest() }

// Open prepares a session without calling Microsoft. It returns a
// [*connector.Error] of category CredentialInvalid, ScopeInvalid or
// NetworkUnreachable when the settings cannot be used.
func (c Connector) Open(_ context.Context, settings connector.Settings) (connector.Session, error) {
	conf, sc, err := parseSettings(settings)
	if err != nil {
		return nil, err
	}
	if settings.HTTPClient == nil {
		return nil, &connector.Error{Category: connector.Internal, Message: "the session was opened without an HTTP client"}
	}
	e := endpointsOf(conf)
	t, err := newTokens(conf, e, settings.HTTPClient)
	if err != nil {
		return nil, err
	}
	return &session{
		configuration: conf, scope: sc, pageRecords: c.pageRecords,
		client: &client{http: settings.HTTPClient, endpoints: e, tokens: t, meter: meter{budget: settings.Budget, custom: e.custom}, timeout: c.timeout},
	}, nil
}

// session reads one connection. What it holds can be read again: it saves calls
// within one run.
type session struct {
	configuration configuration
	scope         scope
	client        *client
	pageRecords   int

	estate *scopes
	// definitions are the directory's roles.
	definitions []directoryRole
	// builtIn are Azure's own roles, by id.
	builtIn map[string]azureRole
	// groups are the resource groups of the subscription read last.
	groups resourceGroups
}

// Close ends the session; calls after it fail. Credentials and tokens live in the
// session only and go with it.
func (s *session) Close() error {
	s.client.closed.Store(true)
	return nil
}

// tenant returns the id of the directory, as the token for Graph tells it.
func (s *session) tenant(ctx context.Context) (string, error) {
	held, err := s.client.token(ctx, serviceGraph, false)
	if err != nil {
		return "", err
	}
	if !guid.MatchString(held.claims.Tenant) {
		return "", &connector.Error{Category: connector.ProviderUnavailable, Message: "the access token does not tell its tenant; check endpoint_url and cloud"}
	}
	return held.claims.Tenant, nil
}

package cyberark

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

const (
	// requestTimeout is how long one call may take, its answer included. Users of the
	// API report lists of large tenants that take a minute.
	requestTimeout = 3 * time.Minute
	// pageRows is how many rows of a table are asked for at once, as CyberArk's own
	// SDK does.
	pageRows = 10_000
)

// Connector makes sessions with CyberArk Identity. It has no state.
type Connector struct {
	timeout time.Duration
	// rows is how many rows of a table are asked for at once, records from how many
	// records a page is worth sending.
	rows, records int
}

var (
	_ connector.Connector          = Connector{}
	_ connector.IdentifyingSession = (*session)(nil)
)

// New returns the connector.
func New() Connector {
	return Connector{timeout: requestTimeout, rows: pageRows, records: records.Enough}
}

// Manifest describes the connector.
func (Connector) Manifest() connector.Manifest { return manifest() }

// Open prepares a session without calling CyberArk. It returns a [*connector.Error]
// of category CredentialInvalid, ScopeInvalid or NetworkUnreachable when the settings
// cannot be used.
func (c Connector) Open(_ context.Context, settings connector.Settings) (connector.Session, error) {
	conf, err := parseSettings(settings)
	if err != nil {
		return nil, err
	}
	if settings.HTTPClient == nil {
		return nil, &connector.Error{Category: connector.Internal, Message: "the session was opened without an HTTP client"}
	}
	return &session{configuration: conf, rows: c.rows, records: c.records, client: newClient(conf, settings, c.timeout)}, nil
}

// session reads one connection. What it holds can be read again: it saves calls
// within one run.
type session struct {
	configuration configuration
	client        *client
	rows, records int

	own *ownRights
	// services are the directories, and listing the roles with their rights as far as
	// they have been read.
	services []directory
	listing  *roleListing
}

// Close ends the session; calls after it fail. Credentials and tokens live in the
// session only and go with it.
func (s *session) Close() error {
	s.client.closed.Store(true)
	return nil
}

// Identify names the tenant and whom the credentials act as.
func (s *session) Identify(ctx context.Context) (connector.Identity, error) {
	who, err := s.client.identity(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	return connector.Identity{Target: s.target(who), ActsAs: who.user}, nil
}

func (s *session) target(who identity) connector.Target {
	return connector.Target{ID: who.tenant, Name: s.configuration.host(), Type: "tenant"}
}

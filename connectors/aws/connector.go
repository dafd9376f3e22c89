package aws

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Connector makes sessions with AWS. The zero value is ready and has no state.
type Connector struct{}

var _ connector.Connector = Connector{}

// New returns the connector.
func New() Connector { return Connector{} }

// Manifest describes the connector.
func (Connector) Manifest() connector.Manifest { return manifest() }

// Open prepares a session without calling AWS. It returns a [*connector.Error]
// of category CredentialInvalid, ScopeInvalid or NetworkUnreachable when the
// settings cannot be used.
func (Connector) Open(ctx context.Context, settings connector.Settings) (connector.Session, error) {
	c, sc, err := parseSettings(settings)
	if err != nil {
		return nil, err
	}
	cl, err := newClients(ctx, c, settings.HTTPClient)
	if err != nil {
		return nil, err
	}
	return &session{
		configuration: c,
		scope:         sc,
		clients:       cl,
		directories:   newDirectoryCache(maxDirectoryEntries),
	}, nil
}

// session reads one connection. Everything in it can be read again from AWS:
// it only saves calls within one run.
type session struct {
	configuration configuration
	scope         scope
	clients       *clients

	caller       *caller
	organization *organization
	// unlisted is the permission that was missing to list the organisation's
	// accounts.
	unlisted    *connector.Error
	instance    *ssoInstance
	sets        map[string]string // permission set ARN to name
	directories *directoryCache
	snapshot    *snapshot
	inventory   inventoryCache
}

// Close forgets the session's credentials and caches.
func (s *session) Close() error {
	s.clients.close()
	return nil
}

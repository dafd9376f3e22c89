package aws

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// Connector makes sessions with AWS. It has no state.
type Connector struct {
	// snapshotItems is up to how many objects an account is read whole.
	snapshotItems int
	// pageRecords is from how many records a page is worth sending.
	pageRecords int
}

var (
	_ connector.Connector          = Connector{}
	_ connector.IdentifyingSession = (*session)(nil)
)

// New returns the connector.
func New() Connector { return Connector{snapshotItems: mostSnapshotItems, pageRecords: records.Enough} }

// Manifest describes the connector.
func (Connector) Manifest() connector.Manifest { return manifest() }

// Open prepares a session without calling AWS. It returns a [*connector.Error]
// of category CredentialInvalid, ScopeInvalid or NetworkUnreachable when the
// settings cannot be used.
func (c Connector) Open(ctx context.Context, settings connector.Settings) (connector.Session, error) {
	conf, sc, err := parseSettings(settings)
	if err != nil {
		return nil, err
	}
	cl, err := newClients(ctx, conf, settings.HTTPClient, newMeter(settings.Budget, conf.EndpointURL))
	if err != nil {
		return nil, err
	}
	return &session{
		configuration: conf,
		snapshotItems: c.snapshotItems,
		pageRecords:   c.pageRecords,
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
	// guessed says that the accounts of the organisation could not be listed,
	// and the account of the credentials stands for them.
	guessed bool
	// unlisted is the permission that was missing to list the organisation's
	// accounts.
	unlisted                   *connector.Error
	instance                   *ssoInstance
	sets                       map[string]string // permission set ARN to name
	directories                *directoryCache
	snapshotItems, pageRecords int
	snapshots                  snapshotCache
	awsPolicies                awsPolicies
	reportsAsked               map[string]bool // by account
	inventory                  inventoryCache
}

// Close ends the session; calls after it fail. Credentials live in the session
// only and go with it.
func (s *session) Close() error {
	s.clients.close()
	return nil
}

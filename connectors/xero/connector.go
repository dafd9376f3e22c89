package xero

import (
	"context"
	"net/http"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

const (
	// requestTimeout is how long one call may take, its answer included.
	requestTimeout = time.Minute
	// mostBytes bounds an answer. Users come in one, some 300 bytes each.
	mostBytes = 64 << 20
)

// Connector makes sessions with Xero. It has no state.
type Connector struct {
	timeout time.Duration
}

var (
	_ connector.Connector          = Connector{}
	_ connector.IdentifyingSession = (*session)(nil)
)

// New returns the connector.
func New() Connector { return Connector{timeout: requestTimeout} }

// Manifest describes the connector.
func (Connector) Manifest() connector.Manifest { return manifest() }

// Open prepares a session without calling Xero. It returns a [*connector.Error] of
// category CredentialInvalid, ScopeInvalid or NetworkUnreachable when the settings
// cannot be used.
func (c Connector) Open(_ context.Context, settings connector.Settings) (connector.Session, error) {
	conf, sc, err := parseSettings(settings)
	if err != nil {
		return nil, err
	}
	if settings.HTTPClient == nil {
		return nil, &connector.Error{Category: connector.Internal, Message: "the session was opened without an HTTP client"}
	}
	s := &session{configuration: conf, scope: sc, base: apiHost}
	identity := identityHost
	if conf.EndpointURL != "" {
		s.base, identity = conf.EndpointURL, conf.EndpointURL
	}
	api := rest.API{Provider: "Xero", Settings: settingsOf(conf)}
	if conf.AuthMode == authCustom {
		s.token = (&rest.ClientCredentials{
			API: api, HTTP: settings.HTTPClient, TokenURL: identity + "/connect/token", ClientID: conf.ClientID, ClientSecret: conf.ClientSecret,
			Scopes: []string{permSettings}, InHeader: true,
		}).Token
	} else {
		s.token = (&rest.RefreshToken{
			API: api, HTTP: settings.HTTPClient, Credentials: settings.Credentials, TokenURL: identity + "/connect/token",
			ClientID: conf.ClientID, ClientSecret: conf.ClientSecret, InHeader: true,
		}).Token
	}
	s.client = &rest.Client{API: api, HTTP: settings.HTTPClient, Token: s.access, Budget: settings.Budget, Timeout: c.timeout, MostBytes: mostBytes}
	return s, nil
}

// session reads one connection.
type session struct {
	configuration configuration
	scope         scope
	base          string
	client        *rest.Client
	// token gets access tokens, and held is what the last one says.
	token  func(ctx context.Context, fresh bool) (string, error)
	held   claims
	text   string
	closed bool
}

// Close ends the session; calls after it fail.
func (s *session) Close() error {
	s.closed = true
	return nil
}

// access returns an access token and notes what it says of itself.
func (s *session) access(ctx context.Context, fresh bool) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if s.closed {
		return "", &connector.Error{Category: connector.Internal, Message: "the session is closed"}
	}
	text, err := s.token(ctx, fresh)
	if err != nil {
		return "", err
	}
	if text != s.text {
		s.text, s.held = text, claimsOf(text)
	}
	return text, nil
}

// Read reads one partition from the cursor on.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	if _, err := records.ParsePlace(from); err != nil {
		return err
	}
	read := map[string]func(context.Context, string, *records.Writer) error{streamOrganisations: s.readOrganisation, streamUsers: s.readUsers}[p.Stream]
	if read == nil {
		return &connector.Error{Category: connector.ContractViolation, Message: "the partition names a stream this connector does not have"}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w := records.NewWriter(ctx, to, records.Enough)
	// Each partition is one call: what goes on asks again, and repeats.
	if err := w.At(records.Place{Step: "list"}); err != nil {
		return err
	}
	if err := read(ctx, p.Key, w); err != nil {
		if e := denied(err); e != nil && w.Err() == nil {
			w.Gap(*e)
			return w.Finish()
		}
		return w.Fail(err)
	}
	return w.Finish()
}

// denied returns an error that says that something may not be read; nil for others.
func denied(err error) *connector.Error {
	if e := connector.AsError(err); e.Category == connector.PermissionDenied {
		return e
	}
	return nil
}

// header is what calls about an organisation carry.
func header(tenant string) http.Header { return http.Header{"xero-tenant-id": {tenant}} }

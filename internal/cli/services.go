package cli

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Services is what the commands run that are a part of the platform. Each
// function returns when its work is done or ctx has ended; after an end by ctx
// it returns nil once everything is shut down. A nil function makes its command
// say that it is not part of this build.
type Services struct {
	Demo             func(ctx context.Context, p Process, o DemoOptions) error
	Dev              func(ctx context.Context, p Process, o DevOptions) error
	Serve            func(ctx context.Context, p Process, o ServeOptions) error
	Worker           func(ctx context.Context, p Process, o WorkerOptions) error
	Migrate          func(ctx context.Context, p Process, o MigrateOptions) error
	SimulateAWS      func(ctx context.Context, p Process, o SimulateAWSOptions) error
	SimulateAzure    func(ctx context.Context, p Process, o SimulateAzureOptions) error
	SimulateXero     func(ctx context.Context, p Process, o SimulateOptions) error
	SimulateCyberArk func(ctx context.Context, p Process, o SimulateCyberArkOptions) error
	Keys             KeyServices
	// OpenAPI returns the OpenAPI document of all services, in JSON.
	OpenAPI func(ctx context.Context) ([]byte, error)
	// LicenceKey makes a key that licences are signed with, and IssueLicence
	// signs one; both need no server.
	LicenceKey   func(name string) (signing secret.Secret, public string, err error)
	IssueLicence func(o LicenceOptions) (string, error)
	// Version is what `gatehouse version` says, without the name.
	Version string
}

// Process is where a service logs and prints.
type Process struct {
	Stdout io.Writer
	Stderr io.Writer
	// Terminal says that Stdout is one.
	Terminal bool
	Logger   *slog.Logger
}

// DemoOptions are the options of `gatehouse demo`.
type DemoOptions struct {
	DataDir     string
	Listen      string
	DatabaseURL string
	// Once ends the demo after the answers.
	Once bool
	// People is the size of the simulated organisation, Seed what it is made from.
	People               int
	Seed                 int64
	AllowPrivateNetworks bool
	// EndpointHosts may be custom endpoints; "*" stands for any.
	EndpointHosts []string
	Limits        Limits
}

// DevOptions are the options of `gatehouse dev`.
type DevOptions struct {
	DataDir     string
	Listen      string
	DatabaseURL string
	// Keys protect credentials; with none it is a local one in DataDir.
	Keys KeyOptions
	// AllowRefs is what connections may refer to outside of Gatehouse.
	AllowRefs            []string
	AllowPrivateNetworks bool
	// EndpointHosts may be custom endpoints; "*" stands for any.
	EndpointHosts []string
	Connectors    ConnectorOptions
	// LicenceKeys is a file with the keys that licences are checked with; empty
	// leaves them as they are.
	LicenceKeys string
	Limits      Limits
	SignIn      SignInOptions
	// KeepRuns is how long runs are kept once they have ended; zero for ever.
	KeepRuns time.Duration
	// KeepHistory is how far back questions can go; zero for ever.
	KeepHistory time.Duration
	// Exports bounds exports.
	Exports ExportLimits
}

// ExportLimits bound exports: how long one is kept once it has ended, and how many
// bytes its file may have.
type ExportLimits struct {
	Keep     time.Duration
	MaxBytes int64
}

// SignInOptions say how people sign in; without an Issuer they do not.
type SignInOptions struct {
	Issuer          string
	ClientID        string
	Scopes          []string
	EmailClaim      string
	TrustEmail      bool
	SessionIdle     time.Duration
	SessionLifetime time.Duration
}

// ServeOptions are the options of `gatehouse serve`.
type ServeOptions struct {
	// Service is integrations, discovery or workspaces.
	Service     string
	Listen      string
	DatabaseURL string
	// TLSCert and TLSKey are PEM files; both or neither.
	TLSCert string
	TLSKey  string
	// Keys protect credentials, AllowRefs is what connections may refer to
	// outside of Gatehouse; of integrations.
	Keys      KeyOptions
	AllowRefs []string
	// Connectors are of integrations and discovery.
	Connectors ConnectorOptions
	// DiscoveryURL is where integrations starts tests.
	DiscoveryURL string
	// TokenFile holds what workers prove themselves to discovery with.
	TokenFile string
	// KeepRuns is how long discovery keeps runs that have ended; zero for ever.
	KeepRuns time.Duration
	// KeepHistory is how far back questions can go; zero for ever.
	KeepHistory time.Duration
	// Exports bounds exports; of discovery.
	Exports ExportLimits
	// AdminKeyFile is where workspaces writes the first admin key of an empty
	// data plane, and beside it a tenant administrator's.
	AdminKeyFile string
	// AuditKeyFile holds the key that signs the audit log; of workspaces.
	AuditKeyFile string
	Limits       Limits
	// AuditSinks and AuditSinkSecrets are targets and secret files by the sinks'
	// names; of workspaces.
	AuditSinks       map[string]string
	AuditSinkSecrets map[string]string
	// SignIn, and AllowPrivateNetworks for its provider and for sinks, are of workspaces;
	// AllowPrivateNetworks is of integrations, too, for webhooks.
	SignIn               SignInOptions
	AllowPrivateNetworks bool
}

// WorkerOptions are the options of `gatehouse worker`.
type WorkerOptions struct {
	DiscoveryURL    string
	IntegrationsURL string
	// TokenFile holds what the worker proves itself with.
	TokenFile string
	// Slots are the queues of each slot, which takes one run at a time.
	Slots [][]string
	// Name is how the worker calls itself in runs and logs.
	Name string
	// Grace is how long runs may go on when the worker is told to stop.
	Grace time.Duration
	// MetricsListen is where /metrics is served; empty for nowhere.
	MetricsListen        string
	AllowPrivateNetworks bool
	// EndpointHosts may be custom endpoints; "*" stands for any.
	EndpointHosts []string
	Connectors    ConnectorOptions
}

// ConnectorOptions say which connectors there are beside the built-in ones.
type ConnectorOptions struct {
	// File has those that are registered; empty for none.
	File string
	// Isolated refuses to run them where the system cannot keep them apart.
	Isolated bool
}

// MigrateOptions are the options of `gatehouse migrate`.
type MigrateOptions struct {
	// DatabaseURL connects as a role that may create roles and tables.
	DatabaseURL string
	// Passwords by service role; a role without one is left unable to log in.
	Passwords map[string]string
	// LicenceKeys is a file with the keys that licences are checked with; empty
	// leaves them as they are.
	LicenceKeys string
}

// LicenceOptions are the options of `gatehouse licence issue`.
type LicenceOptions struct {
	SigningKey   secret.Secret
	ID           string
	Tenant       string
	Licensee     string
	Integrations []string
	// Workspaces and Connections are the most there may be; nil for no limit.
	Workspaces  *int64
	Connections *int64
	IssuedAt    time.Time
	NotBefore   time.Time
	// ExpiresAt is nil for a licence without an end.
	ExpiresAt *time.Time
	GraceDays int
}

// SimulateAWSOptions are the options of `gatehouse simulate aws`.
type SimulateAWSOptions struct {
	People int
	Seed   int64
	Listen string
	// Day is how many days have passed.
	Day int
	// Truth is a bucket of which it is told who reaches it, instead of serving.
	Truth string
}

// SimulateAzureOptions are the options of `gatehouse simulate azure`.
type SimulateAzureOptions struct {
	People int
	Seed   int64
	Listen string
}

// SimulateOptions are the options of a simulator that has no others.
type SimulateOptions struct {
	People int
	Seed   int64
	Listen string
}

// KeyOptions name key-encryption keys.
type KeyOptions struct {
	// Key is the one to write credentials under, OpenKeys further ones to read
	// them with.
	Key      string
	OpenKeys []string
}

// KeyServices is what `gatehouse keys` does.
type KeyServices struct {
	List   func(ctx context.Context, databaseURL string, o KeyOptions) ([]KeyInUse, error)
	Check  func(ctx context.Context, databaseURL string, o KeyOptions) ([]KeyCheck, error)
	Rewrap func(ctx context.Context, databaseURL string, o KeyOptions, progress func(done, all int64)) (RewrapResult, error)
	Retire func(ctx context.Context, databaseURL, kind, id string) error
	Create func(path string) (id string, err error)
	// Local finds the database of a `gatehouse dev` that runs in a data directory,
	// and its key; empty where it has none of its own.
	Local func(dataDir string) (databaseURL, key string, err error)
}

// KeyInUse is a key of a database.
type KeyInUse struct {
	Kind        string     `json:"kind"`
	ID          string     `json:"id"`
	Credentials int64      `json:"credentials"`
	Since       *time.Time `json:"since"`
	// State is current, open, missing or retirable.
	State string `json:"state"`
}

// KeyCheck is a key that was tried.
type KeyCheck struct {
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Current bool   `json:"current"`
	// Problem is empty when the key works.
	Problem string `json:"problem,omitempty"`
}

// RewrapResult is what a rewrap did.
type RewrapResult struct {
	Moved      int64           `json:"moved"`
	Unreadable int64           `json:"unreadable"`
	Left       int64           `json:"left"`
	NewKey     bool            `json:"new_key"`
	Failures   []RewrapFailure `json:"failures,omitempty"`
}

// RewrapFailure is a credential that could not be moved.
type RewrapFailure struct {
	Workspace  string `json:"workspace_id"`
	Connection string `json:"connection_id"`
	Reason     string `json:"reason"`
}

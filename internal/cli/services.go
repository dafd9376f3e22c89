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
	Demo        func(ctx context.Context, p Process, o DemoOptions) error
	Dev         func(ctx context.Context, p Process, o DevOptions) error
	Serve       func(ctx context.Context, p Process, o ServeOptions) error
	Worker      func(ctx context.Context, p Process, o WorkerOptions) error
	Migrate     func(ctx context.Context, p Process, o MigrateOptions) error
	SimulateAWS func(ctx context.Context, p Process, o SimulateAWSOptions) error
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
}

// DevOptions are the options of `gatehouse dev`.
type DevOptions struct {
	DataDir              string
	Listen               string
	DatabaseURL          string
	AllowPrivateNetworks bool
	// LicenceKeys is a file with the keys that licences are checked with; empty
	// leaves them as they are.
	LicenceKeys string
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
	// KeyFile holds the key that wraps the credentials' data keys; of integrations.
	KeyFile string
	// DiscoveryURL is where integrations starts tests.
	DiscoveryURL string
	// TokenFile holds what workers prove themselves to discovery with.
	TokenFile string
	// AdminKeyFile is where workspaces writes the first admin key of an empty
	// data plane.
	AdminKeyFile string
}

// WorkerOptions are the options of `gatehouse worker`.
type WorkerOptions struct {
	DiscoveryURL    string
	IntegrationsURL string
	// TokenFile holds what the worker proves itself with.
	TokenFile string
	// Queues it takes runs from.
	Queues []string
	// Name is how the worker calls itself in runs and logs.
	Name                 string
	AllowPrivateNetworks bool
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
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
)

// logging is the flags of every command that runs for long.
type logging struct {
	LogLevel  slog.Level `default:"${loglevel}" env:"GATEHOUSE_LOG_LEVEL" placeholder:"LEVEL" group:"Logging:" complete:"levels" help:"Least severe messages to log: debug, info, warn or error (${default})."`
	LogFormat string     `enum:"text,json" default:"text" env:"GATEHOUSE_LOG_FORMAT" group:"Logging:" help:"How to log: text or json."`
}

// process returns where a service logs and prints.
func (l logging) process(e *environment) Process {
	_, terminal := descriptor(e.Out)
	return Process{Stdout: e.Out, Stderr: e.Err, Terminal: terminal, Logger: l.logger(e.Err)}
}

func (l logging) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// licenceKeys is the flag of the commands that set a data plane up.
type licenceKeys struct {
	LicencePublicKey string `env:"GATEHOUSE_LICENCE_PUBLIC_KEY" type:"path" complete:"files" placeholder:"PATH" help:"File with the public keys of licences that may be installed, in place of those known; they stay as they are without it."`
}

// local is the flags of the commands that run everything in one process.
type local struct {
	logging
	limits
	Listen               string   `default:"${listen}" env:"GATEHOUSE_LISTEN" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
	DatabaseURL          string   `env:"GATEHOUSE_DATABASE_URL" placeholder:"URL" help:"PostgreSQL to use instead of one in the data directory."`
	AllowPrivateNetworks bool     `default:"true" negatable:"" env:"GATEHOUSE_ALLOW_PRIVATE_NETWORKS" help:"Let connections reach loopback and private addresses."`
	EndpointHosts        []string `default:"*" env:"GATEHOUSE_ENDPOINT_HOSTS" placeholder:"HOST" help:"Hosts that connections may name as custom endpoints, beside the provider's own; * for any (${default})."`
}

// errNotBuilt is answered by a command whose service was left out of a build.
var errNotBuilt = errors.New("is not part of this build")

// listening adds the way out to the error of a service whose address is taken.
func listening(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; something else serves there: stop it, or choose another address with --listen", err)
	}
	return err
}

// DevCmd is `gatehouse dev`.
type DevCmd struct {
	DataDir string `default:"${devdata}" env:"GATEHOUSE_DATA_DIR" type:"path" complete:"files" placeholder:"DIR" help:"Where the database, keys and logs are kept (${default})."`
	local
	retention
	exportBounds
	programs
	licenceKeys
	encryption
	references
	signIn
}

// Help returns examples.
func (DevCmd) Help() string {
	return `Runs PostgreSQL, all services and a worker in this process, with nothing in them. The first admin key and a tenant administrator's are printed once and kept in admin.key and tenant-admin.key in the data directory; other gatehouse commands started in the same directory find them by themselves. Ctrl-C ends everything; the next start goes on where this one ended.

    gatehouse dev
    gatehouse dev --data-dir /var/lib/gatehouse --listen 127.0.0.1:9000`
}

// Run runs everything.
func (cmd *DevCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Dev == nil {
		return errNotBuilt
	}
	keepRuns, keepHistory, err := cmd.kept()
	if err != nil {
		return err
	}
	exports, err := cmd.exportLimits()
	if err != nil {
		return err
	}
	people, err := cmd.signInOptions()
	if err != nil {
		return err
	}
	return listening(e.services.Dev(ctx, cmd.process(e), DevOptions{
		DataDir: cmd.DataDir, Listen: cmd.Listen, DatabaseURL: cmd.DatabaseURL, Keys: cmd.options(), AllowRefs: cmd.AllowRef, AllowPrivateNetworks: cmd.AllowPrivateNetworks, EndpointHosts: cmd.EndpointHosts,
		LicenceKeys: cmd.LicencePublicKey, Limits: cmd.requestLimits(), KeepRuns: keepRuns, KeepHistory: keepHistory, Exports: exports,
		SignIn: people, Connectors: ConnectorOptions{File: cmd.ConnectorsFile},
	}))
}

// DemoCmd is `gatehouse demo`.
type DemoCmd struct {
	DataDir string `default:"${demodata}" env:"GATEHOUSE_DATA_DIR" type:"path" complete:"files" placeholder:"DIR" help:"Where the database, keys and logs are kept (${default})."`
	local
	Once   bool  `help:"End after the answers instead of serving until Ctrl-C."`
	People int   `default:"300" placeholder:"N" help:"How many people the simulated organisation has (${default})."`
	Seed   int64 `default:"1" placeholder:"S" help:"What the organisation is made from; the same seed makes the same (${default})."`
}

// Help returns examples.
func (DemoCmd) Help() string {
	return `Starts everything, connects a simulated AWS organisation, discovers it, and answers three questions: who can reach a sensitive bucket, what one contractor can reach, and why. Then it serves, and says what to try next.

    gatehouse demo
    gatehouse demo --once --people 2000`
}

// Run runs the demo.
func (cmd *DemoCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Demo == nil {
		return errNotBuilt
	}
	if cmd.People < 1 {
		return usagef("--people: must be at least 1")
	}
	return listening(e.services.Demo(ctx, cmd.process(e), DemoOptions{
		DataDir: cmd.DataDir, Listen: cmd.Listen, DatabaseURL: cmd.DatabaseURL, Once: cmd.Once, People: cmd.People, Seed: cmd.Seed,
		AllowPrivateNetworks: cmd.AllowPrivateNetworks, EndpointHosts: cmd.EndpointHosts, Limits: cmd.requestLimits(),
	}))
}

// SimulateCmd is `gatehouse simulate`.
type SimulateCmd struct {
	AWS      SimulateAWSCmd      `cmd:"" name:"aws" help:"Serve a made-up AWS organisation."`
	Azure    SimulateAzureCmd    `cmd:"" name:"azure" help:"Serve a made-up Entra ID tenant with its Azure subscriptions."`
	CyberArk SimulateCyberArkCmd `cmd:"" name:"cyberark" help:"Serve a made-up CyberArk Identity tenant."`
	Xero     SimulateXeroCmd     `cmd:"" name:"xero" help:"Serve made-up organisations at Xero."`
}

// SimulateAWSCmd is `gatehouse simulate aws`.
type SimulateAWSCmd struct {
	logging
	People int    `default:"300" placeholder:"N" help:"How many people the organisation has (${default})."`
	Seed   int64  `default:"1" placeholder:"S" help:"What the organisation is made from; the same seed makes the same (${default})."`
	Listen string `default:"127.0.0.1:8643" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
	Day    int    `default:"0" placeholder:"D" help:"How many days have passed: people have joined, moved and left (${default})."`
	Truth  string `placeholder:"BUCKET" help:"Tell who reaches a bucket's objects over Identity Center, by how the organisation was made, instead of serving."`
}

// Help returns examples.
func (SimulateAWSCmd) Help() string {
	return `Speaks the protocols of IAM, STS, Organizations, Identity Center, S3 and Lambda. It prints the access key to connect with; its data is made up and the same for the same seed. While it serves, PUT /_simulator/day makes it another day, and GET /_simulator/truth?bucket=NAME tells who reaches a bucket.

POST /_simulator/faults has calls go wrong, of one service, operation and account or of all: kind is throttle, rate, deny, slow, broken, expire or unavailable; after, every and times choose among the calls. GET lists the faults that are in force, DELETE ends them.

    gatehouse simulate aws --people 2000 --seed 7
    curl http://127.0.0.1:8643/_simulator/faults -d '{"kind": "slow", "delay_ms": 1500}'
    curl http://127.0.0.1:8643/_simulator/faults -d '{"kind": "deny", "service": "s3", "operation": "GetBucketPolicy", "times": 3}'
    gatehouse simulate aws --people 2000 --seed 7 --day 30`
}

// Run serves the simulated provider.
func (cmd *SimulateAWSCmd) Run(ctx context.Context, e *environment) error {
	if e.services.SimulateAWS == nil {
		return errNotBuilt
	}
	if cmd.People < 1 {
		return usagef("--people: must be at least 1")
	}
	return listening(e.services.SimulateAWS(ctx, cmd.process(e), SimulateAWSOptions{People: cmd.People, Seed: cmd.Seed, Listen: cmd.Listen, Day: cmd.Day, Truth: cmd.Truth}))
}

// SimulateAzureCmd is `gatehouse simulate azure`.
type SimulateAzureCmd struct {
	logging
	People int    `default:"300" placeholder:"N" help:"How many people the tenant has (${default})."`
	Seed   int64  `default:"1" placeholder:"S" help:"What the tenant is made from; the same seed makes the same people as in AWS (${default})."`
	Listen string `default:"127.0.0.1:8644" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
}

// Help returns examples.
func (SimulateAzureCmd) Help() string {
	return `Speaks the protocols of the Microsoft identity platform, Microsoft Graph and Azure Resource Manager at one address. It prints the client secret to connect with; its data is made up and the same for the same seed.

    gatehouse simulate azure --people 2000 --seed 7`
}

// Run serves the simulated provider.
func (cmd *SimulateAzureCmd) Run(ctx context.Context, e *environment) error {
	if e.services.SimulateAzure == nil {
		return errNotBuilt
	}
	if cmd.People < 1 {
		return usagef("--people: must be at least 1")
	}
	return listening(e.services.SimulateAzure(ctx, cmd.process(e), SimulateAzureOptions{People: cmd.People, Seed: cmd.Seed, Listen: cmd.Listen}))
}

// OpenAPICmd is `gatehouse openapi`.
type OpenAPICmd struct{}

// Help returns examples.
func (OpenAPICmd) Help() string {
	return `Prints the OpenAPI 3.1 document of all services of this version. A server serves its own at /openapi.json and, to read, at /docs.

    gatehouse openapi > openapi.json`
}

// Run prints the document.
func (*OpenAPICmd) Run(ctx context.Context, e *environment) error {
	if e.services.OpenAPI == nil {
		return errNotBuilt
	}
	document, err := e.services.OpenAPI(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "%s\n", document)
	return err
}

// VersionCmd is `gatehouse version`.
type VersionCmd struct{}

// Help returns examples.
func (VersionCmd) Help() string {
	return "Prints the version that was built in.\n\n    gatehouse version"
}

// Run prints the version.
func (*VersionCmd) Run(e *environment) error {
	_, err := fmt.Fprintf(e.Out, "gatehouse %s\n", e.services.Version)
	return err
}

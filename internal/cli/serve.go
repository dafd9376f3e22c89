package cli

import (
	"context"
	"os"
	"strings"
)

// ServeCmd is `gatehouse serve`.
type ServeCmd struct {
	logging
	limits
	Service      string `arg:"" enum:"integrations,discovery,workspaces" help:"integrations, discovery or workspaces."`
	Listen       string `default:"${listen}" env:"GATEHOUSE_LISTEN" placeholder:"HOST:PORT" help:"Where to serve (${default})."`
	DatabaseURL  string `required:"" env:"GATEHOUSE_DATABASE_URL" placeholder:"URL" help:"PostgreSQL, as the role of the service: svc_integration, svc_discovery or svc_workspace."`
	TLSCert      string `name:"tls-cert" and:"tls" env:"GATEHOUSE_TLS_CERT" type:"path" complete:"files" placeholder:"PATH" help:"Certificate chain, PEM; without it the service speaks plain HTTP."`
	TLSKey       string `name:"tls-key" and:"tls" env:"GATEHOUSE_TLS_KEY" type:"path" complete:"files" placeholder:"PATH" help:"Private key of the certificate, PEM."`
	DiscoveryURL string `name:"discovery-url" env:"GATEHOUSE_DISCOVERY_URL" placeholder:"URL" help:"For integrations: address of the discovery service, where tests are started."`
	TokenFile    string `env:"GATEHOUSE_WORKER_TOKEN_FILE" type:"path" complete:"files" placeholder:"PATH" help:"For discovery: the token that workers of this deployment share."`
	AdminKeyFile string `env:"GATEHOUSE_ADMIN_KEY_FILE" type:"path" complete:"files" placeholder:"PATH" help:"For workspaces: where to write the first admin key of an empty deployment; a tenant administrator's is written beside it, as tenant-admin.key."`
	AuditKeyFile string `env:"GATEHOUSE_AUDIT_KEY_FILE" type:"path" complete:"files" placeholder:"PATH" help:"For workspaces: the key that signs the audit log, mode 0400; made where the database has seen none."`

	AuditSink       map[string]string `mapsep:"none" env:"GATEHOUSE_AUDIT_SINK" placeholder:"NAME=TARGET" help:"For workspaces: send the sealed audit log on to file:PATH, stdout: or a webhook, https://…; repeat for more."`
	AuditSinkSecret map[string]string `mapsep:"none" env:"GATEHOUSE_AUDIT_SINK_SECRET" placeholder:"NAME=PATH" help:"File with the secret, whsec_…, that a webhook is signed with."`
	encryption
	references
	programs
	retention
	exportBounds
	providerSignIn
}

// Help returns examples.
func (ServeCmd) Help() string {
	return `Each service has its own database role and can run as often as needed. The database must have been migrated. gatehouse dev runs all of them in one process.

    GATEHOUSE_DATABASE_URL=postgres://svc_integration@db/gatehouse gatehouse serve integrations \
      --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem --key local:local.key --discovery-url https://discovery:8443

    GATEHOUSE_DATABASE_URL=postgres://svc_discovery@db/gatehouse gatehouse serve discovery --token-file worker.token
    GATEHOUSE_DATABASE_URL=postgres://svc_workspace@db/gatehouse gatehouse serve workspaces --admin-key-file admin.key --audit-key-file audit.key \
      --oidc-issuer https://login.example.com --oidc-client-id gatehouse

A password in a flag is visible to every process of the machine: put it in the environment, or in a file that PGPASSFILE names.`
}

// Run runs a service.
func (cmd *ServeCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Serve == nil {
		return errNotBuilt
	}
	for _, needed := range []struct{ service, flag, value string }{
		{"integrations", "--key", cmd.Key},
		{"integrations", "--discovery-url", cmd.DiscoveryURL},
		{"discovery", "--token-file", cmd.TokenFile},
		{"workspaces", "--admin-key-file", cmd.AdminKeyFile},
		{"workspaces", "--audit-key-file", cmd.AuditKeyFile},
	} {
		if cmd.Service == needed.service && needed.value == "" {
			return usagef("%s: is missing; the %s service needs it", needed.flag, needed.service)
		}
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
	return listening(e.services.Serve(ctx, cmd.process(e), ServeOptions{
		Service: cmd.Service, Listen: cmd.Listen, DatabaseURL: cmd.DatabaseURL, TLSCert: cmd.TLSCert, TLSKey: cmd.TLSKey,
		Keys: cmd.options(), AllowRefs: cmd.AllowRef, DiscoveryURL: cmd.DiscoveryURL, TokenFile: cmd.TokenFile, AdminKeyFile: cmd.AdminKeyFile, AuditKeyFile: cmd.AuditKeyFile,
		Limits: cmd.requestLimits(), KeepRuns: keepRuns, KeepHistory: keepHistory, Exports: exports,
		SignIn: people, AllowPrivateNetworks: cmd.AllowPrivateNetworks, Connectors: ConnectorOptions{File: cmd.ConnectorsFile},
		AuditSinks: cmd.AuditSink, AuditSinkSecrets: cmd.AuditSinkSecret,
	}))
}

// MigrateCmd is `gatehouse migrate`.
type MigrateCmd struct {
	logging
	DatabaseURL  string            `required:"" env:"GATEHOUSE_ADMIN_DATABASE_URL" placeholder:"URL" help:"PostgreSQL, as a role that may create roles and tables."`
	PasswordFile map[string]string `mapsep:"," placeholder:"ROLE=PATH" help:"File with the password of a service role, which is then allowed to log in; repeat for more."`
	PasswordEnv  map[string]string `mapsep:"," placeholder:"ROLE=VARIABLE" help:"The same from an environment variable."`
	licenceKeys
}

// Help returns examples.
func (MigrateCmd) Help() string {
	return `Creates or upgrades the tables and the roles svc_integration, svc_discovery and svc_workspace, which own nothing and may do little. It can be run again at any time, and by several at once.

    gatehouse migrate --database-url postgres://admin@db/gatehouse \
      --password-file svc_integration=integration.pw --password-file svc_discovery=discovery.pw \
      --password-env svc_workspace=WORKSPACE_PASSWORD`
}

// Run migrates the database.
func (cmd *MigrateCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Migrate == nil {
		return errNotBuilt
	}
	passwords := map[string]string{}
	for role, path := range cmd.PasswordFile {
		raw, err := os.ReadFile(path)
		if err != nil {
			return unreadable("--password-file", err)
		}
		passwords[role] = strings.TrimRight(string(raw), "\r\n")
	}
	for role, variable := range cmd.PasswordEnv {
		if _, twice := passwords[role]; twice {
			return usagef("--password-env: the password of %s is given twice", role)
		}
		passwords[role] = os.Getenv(variable)
	}
	for role, password := range passwords {
		if password == "" {
			return usagef("the password of %s is empty", role)
		}
		switch role {
		case "svc_integration", "svc_discovery", "svc_workspace":
		default:
			return usagef("%s is no service role; there are svc_integration, svc_discovery and svc_workspace", role)
		}
	}
	return e.services.Migrate(ctx, cmd.process(e), MigrateOptions{DatabaseURL: cmd.DatabaseURL, Passwords: passwords, LicenceKeys: cmd.LicencePublicKey})
}

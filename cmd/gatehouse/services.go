package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/gatehouse-project/gatehouse/internal/app"
	"github.com/gatehouse-project/gatehouse/internal/cli"
)

// services joins the command line to what it runs.
func services() cli.Services {
	return cli.Services{
		Demo: demo, Dev: dev, Serve: serve, Worker: work, Migrate: migrate, SimulateAWS: simulateAWS, SimulateAzure: simulateAzure, SimulateCyberArk: simulateCyberArk, SimulateXero: simulateXero, Keys: keyServices(),
		OpenAPI:      func(context.Context) ([]byte, error) { return app.OpenAPI() },
		LicenceKey:   app.NewLicenceKey,
		IssueLicence: func(o cli.LicenceOptions) (string, error) { return app.IssueLicence(app.LicenceDraft(o)) },
		Version:      versionText(),
	}
}

func dev(ctx context.Context, p cli.Process, o cli.DevOptions) error {
	c := app.DevConfig{
		DataDir: o.DataDir, Listen: o.Listen, DatabaseURL: o.DatabaseURL, Keys: keySettings(o.Keys), AllowRefs: o.AllowRefs, AllowPrivate: o.AllowPrivateNetworks, EndpointHosts: o.EndpointHosts, Connectors: app.ConnectorSettings(o.Connectors), LicenceKeys: o.LicenceKeys, Limits: app.Limits(o.Limits),
		KeepRuns: o.KeepRuns, KeepHistory: o.KeepHistory, Exports: app.ExportLimits(o.Exports), Version: versionText(), Logger: p.Logger,
		SignIn: signIn(o.SignIn, o.AllowPrivateNetworks),
	}
	return app.Dev(ctx, c, func(ctx context.Context, r app.Running) error {
		fmt.Fprintf(p.Stdout, "Gatehouse serves %s (its reference: %s/docs).\n", r.URL, r.URL)
		tellKey(p.Stdout, "Admin key", r.Admin)
		tellKey(p.Stdout, "Tenant administrator key", r.Tenant)
		<-ctx.Done()
		return nil
	})
}

// tellKey shows a key when it has been made, and afterwards where it is.
func tellKey(w io.Writer, name string, key app.KeptKey) {
	if key.Made {
		fmt.Fprintf(w, "%s, shown once and kept in %s:\n%s\n", name, key.File, key.Key.RevealString())
		return
	}
	fmt.Fprintf(w, "%s: in %s.\n", name, key.File)
}

// signIn joins the flags of sign-in to what it takes.
func signIn(o cli.SignInOptions, allowPrivate bool) app.SignInConfig {
	return app.SignInConfig{
		Issuer: o.Issuer, ClientID: o.ClientID, Scopes: o.Scopes, EmailClaim: o.EmailClaim, TrustEmail: o.TrustEmail,
		AllowPrivate: allowPrivate, SessionIdle: o.SessionIdle, SessionLifetime: o.SessionLifetime,
	}
}

func demo(ctx context.Context, p cli.Process, o cli.DemoOptions) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return app.Demo(ctx, app.DemoConfig{
		DevConfig: app.DevConfig{
			DataDir: o.DataDir, Listen: o.Listen, DatabaseURL: o.DatabaseURL, AllowPrivate: o.AllowPrivateNetworks, EndpointHosts: o.EndpointHosts, Limits: app.Limits(o.Limits),
			Version: versionText(), Logger: p.Logger,
		},
		Once: o.Once, People: o.People, Seed: o.Seed,
		Program: program, Out: p.Stdout, Err: p.Stderr,
	})
}

func simulateAWS(ctx context.Context, p cli.Process, o cli.SimulateAWSOptions) error {
	return app.SimulateAWS(ctx, app.SimulateConfig{People: o.People, Seed: o.Seed, Listen: o.Listen, Day: o.Day, Truth: o.Truth, Out: p.Stdout})
}

func simulateCyberArk(ctx context.Context, p cli.Process, o cli.SimulateCyberArkOptions) error {
	return app.SimulateCyberArk(ctx, app.SimulateConfig{People: o.People, Seed: o.Seed, Listen: o.Listen, Out: p.Stdout})
}

func simulateXero(ctx context.Context, p cli.Process, o cli.SimulateOptions) error {
	return app.SimulateXero(ctx, app.SimulateConfig{People: o.People, Seed: o.Seed, Listen: o.Listen, Out: p.Stdout})
}

func simulateAzure(ctx context.Context, p cli.Process, o cli.SimulateAzureOptions) error {
	return app.SimulateAzure(ctx, app.SimulateConfig{People: o.People, Seed: o.Seed, Listen: o.Listen, Out: p.Stdout})
}

func migrate(ctx context.Context, p cli.Process, o cli.MigrateOptions) error {
	if err := app.Migrate(ctx, o.DatabaseURL, o.Passwords, o.LicenceKeys); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.Stdout, "The database is at the newest schema.")
	return err
}

func serve(ctx context.Context, p cli.Process, o cli.ServeOptions) error {
	return app.Serve(ctx, app.ServeConfig{
		Service: o.Service, Listen: o.Listen, DatabaseURL: o.DatabaseURL, TLSCert: o.TLSCert, TLSKey: o.TLSKey, Keys: keySettings(o.Keys), AllowRefs: o.AllowRefs, Connectors: app.ConnectorSettings(o.Connectors),
		DiscoveryURL: o.DiscoveryURL, TokenFile: o.TokenFile, AdminKeyFile: o.AdminKeyFile, AuditKeyFile: o.AuditKeyFile,
		Limits: app.Limits(o.Limits), KeepRuns: o.KeepRuns, KeepHistory: o.KeepHistory, Exports: app.ExportLimits(o.Exports), Version: versionText(), Logger: p.Logger,
		SignIn: signIn(o.SignIn, o.AllowPrivateNetworks), AllowPrivate: o.AllowPrivateNetworks,
		AuditSinks: app.AuditSinks{Targets: o.AuditSinks, SecretFiles: o.AuditSinkSecrets, AllowPrivate: o.AllowPrivateNetworks, Stdout: p.Stdout},
	})
}

func work(ctx context.Context, p cli.Process, o cli.WorkerOptions) error {
	return app.Work(ctx, app.WorkConfig{
		Name: o.Name, DiscoveryURL: o.DiscoveryURL, IntegrationsURL: o.IntegrationsURL, TokenFile: o.TokenFile, Slots: o.Slots,
		AllowPrivate: o.AllowPrivateNetworks, EndpointHosts: o.EndpointHosts, Connectors: app.ConnectorSettings(o.Connectors), Grace: o.Grace, MetricsListen: o.MetricsListen, Logger: p.Logger,
	})
}

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/azure"
	"github.com/gatehouse-project/gatehouse/simulator/cyberark"
	"github.com/gatehouse-project/gatehouse/simulator/xero"
)

// SimulateConfig says which made-up enterprise to serve.
type SimulateConfig struct {
	People int
	Seed   int64
	Listen string
	// Day is how many days have passed.
	Day int
	// Truth is a bucket of which it is told who reaches it, instead of serving.
	Truth string
	Out   io.Writer
}

// SimulateAWS serves a simulated AWS organisation until ctx ends, and says how to
// connect to it.
func SimulateAWS(ctx context.Context, c SimulateConfig) error {
	s, err := aws.New(aws.Options{People: c.People, Seed: c.Seed, Day: c.Day})
	if err != nil {
		return err
	}
	if c.Truth != "" {
		return tellTruth(s, c)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	e, url := s.Summary(), "http://"+ln.Addr().String()
	_, err = fmt.Fprintf(c.Out, `%s: %d people, %d AWS accounts, at %s
  access_key_id      %s
  secret_access_key  %s
  region             %s
  member_role_name   %s
  external_id        %s
What exists: %s/_simulator/estate. Ctrl-C ends it.
`, e.Company, c.People, e.Counts.Accounts, url, e.Auditor.AccessKeyID, e.Auditor.SecretAccessKey, e.Region, e.AuditRole, e.ExternalID, url)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return s.Serve(ctx, ln)
}

// tellTruth writes who reaches a bucket, as JSON.
func tellTruth(s *aws.Simulator, c SimulateConfig) error {
	told, err := s.Truth(c.Truth, aws.DefaultAction)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(c.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(told)
}

// SimulateAzure serves a simulated Entra ID tenant with its subscriptions until ctx
// ends, and says how to connect to it.
func SimulateAzure(ctx context.Context, c SimulateConfig) error {
	s, err := azure.New(azure.Options{People: c.People, Seed: c.Seed})
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	e, url := s.Estate(), "http://"+ln.Addr().String()
	_, err = fmt.Fprintf(c.Out, `%s: %d people, %d groups, %d Azure subscriptions, at %s
  tenant_id      %s
  client_id      %s
  client_secret  %s
What exists: %s/_simulator/estate. Ctrl-C ends it.
`, e.Company.Name, c.People, len(e.Groups), len(e.Subscriptions), url, e.TenantID, e.Auditor.ClientID, e.Auditor.Secret, url)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return s.Serve(ctx, ln)
}

// SimulateCyberArk serves a simulated CyberArk Identity tenant until ctx ends, and says
// how to connect to it.
func SimulateCyberArk(ctx context.Context, c SimulateConfig) error {
	s, err := cyberark.New(cyberark.Options{People: c.People, Seed: c.Seed})
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	e, url := s.Estate(), "http://"+ln.Addr().String()
	_, err = fmt.Fprintf(c.Out, `%s: %d people, %d roles, %d applications, at %s
  tenant_url      %s
  application_id  %s
  scope           %s
  client_id       %s
  client_secret   %s
What exists: %s/_simulator/estate. Ctrl-C ends it.
`, e.Company.Name, c.People, len(e.Roles), len(e.Applications), url, s.TenantURL(), e.Auditor.ApplicationID, e.Auditor.Scope, e.Auditor.Login, e.Auditor.Password, url)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return s.Serve(ctx, ln)
}

// SimulateXero serves simulated organisations at Xero until ctx ends, and says how to
// connect to them.
func SimulateXero(ctx context.Context, c SimulateConfig) error {
	s, err := xero.New(xero.Options{People: c.People, Seed: c.Seed})
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	url := "http://" + ln.Addr().String()
	_, err = fmt.Fprintf(c.Out, `%s: %d people, %d organisations at Xero, at %s
  client_id      %s
  client_secret  %s
  refresh_token  %s
What exists: %s/_simulator/estate, with another refresh token each time. Ctrl-C ends it.
`, s.Company().Name, c.People, len(s.Organisations()), url, s.ClientID(), s.ClientSecret(), s.SignIn(), url)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return s.Serve(ctx, ln)
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// DemoConfig says how to show the main job on simulated data.
type DemoConfig struct {
	DevConfig
	// Once ends the demo after the answers.
	Once   bool
	People int
	Seed   int64
	// Program is the gatehouse binary; the demo runs its commands as anyone would.
	Program string
	Out     io.Writer
	Err     io.Writer
}

// demoConnection is what the demo calls its connection.
const demoConnection = "Simulated AWS"

// Demo runs everything, a simulated AWS organisation beside it, and the commands
// that lead from nothing to the first answers. Then it serves until ctx ends.
func Demo(ctx context.Context, c DemoConfig) error {
	simulator, err := aws.New(aws.Options{People: c.People, Seed: c.Seed})
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the simulator: %w", err)
	}
	summary := simulator.Summary()
	fmt.Fprintf(c.Out, "Gatehouse demo: %s, a made-up company of %d people with %d AWS accounts.\n", summary.Company, c.People, summary.Counts.Accounts)
	fmt.Fprintf(c.Out, "Starting PostgreSQL, the services and their workers in %s …\n", c.DataDir)

	simulating, stopSimulating := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSimulating()
	simulated := make(chan error, 1)
	go func() { simulated <- simulator.Serve(simulating, ln) }()

	begun := time.Now()
	err = Dev(ctx, c.DevConfig, func(ctx context.Context, r Running) error {
		d := &demo{DemoConfig: c, running: r, endpoint: "http://" + ln.Addr().String(), summary: summary}
		if err := d.tell(ctx); err != nil {
			return err
		}
		fmt.Fprintf(c.Out, "\nThat took %s.\n", time.Since(begun).Round(100*time.Millisecond))
		if c.Once {
			return errDemoOver
		}
		d.farewell()
		<-ctx.Done()
		return nil
	})
	stopSimulating()
	if errors.Is(err, errDemoOver) {
		err = nil
	}
	return errors.Join(err, <-simulated)
}

// errDemoOver ends the services once the answers are given.
var errDemoOver = errors.New("the demo is over")

// demo is one telling of the story.
type demo struct {
	DemoConfig
	running  Running
	endpoint string
	summary  estate.Summary
}

// tell runs the commands of the story, one after the other.
func (d *demo) tell(ctx context.Context) error {
	exists, err := d.connected(ctx)
	if err != nil {
		return err
	}
	connect := []string{"connections", "create", "aws", "--name", demoConnection}
	if exists {
		connect = []string{"connections", "edit", demoConnection}
	}
	connect = append(connect,
		"--set", "access_key_id="+d.summary.Auditor.AccessKeyID, "--set-env", "secret_access_key=DEMO_SECRET_ACCESS_KEY",
		"--set", "region="+d.summary.Region, "--set", "member_role_name="+d.summary.AuditRole, "--set", "external_id="+d.summary.ExternalID,
		"--set", "organizations_enabled=true", "--set", "identity_center_enabled=true", "--set", "endpoint_url="+d.endpoint)
	bucket := "arn:aws:s3:::" + d.summary.Sensitive.Name
	for _, step := range []struct {
		title string
		args  []string
	}{
		{"Connect the organisation", connect},
		{"Test the connection: what works, what is missing", []string{"connections", "test", demoConnection}},
		{"Discover: a worker reads the organisation, the result becomes the graph", []string{"runs", "start", "discovery.run", "--connection", demoConnection, "--watch"}},
		{"Who can reach the bucket with the payroll exports?", []string{"access", "who-can", bucket, "--limit", "15"}},
		{fmt.Sprintf("What can %s, a contractor, reach?", d.summary.Contractor.DisplayName), []string{"access", "what-can", d.summary.Contractor.IAMUserARN, "--limit", "15"}},
		{"Why can the contractor reach the bucket?", []string{"access", "why", d.summary.Contractor.IAMUserARN, bucket, "--limit", "2"}},
	} {
		if err := d.step(ctx, step.title, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// connected reports whether an earlier demo on the same data made the connection.
func (d *demo) connected(ctx context.Context) (bool, error) {
	api, err := client.New(d.running.URL, d.running.Admin.Key, d.Version)
	if err != nil {
		return false, err
	}
	list, err := api.Connections(ctx, client.ConnectionFilter{Integration: "aws"}, client.Pages{})
	if err != nil {
		return false, fmt.Errorf("look for the demo's connection: %w", err)
	}
	for _, c := range list.Items {
		if c.Name == demoConnection {
			return true, nil
		}
	}
	return false, nil
}

// step shows a command and runs it, with what it needs in its environment.
func (d *demo) step(ctx context.Context, title string, args ...string) error {
	fmt.Fprintf(d.Out, "\n── %s\n$ gatehouse %s\n", title, shown(args))
	command := exec.CommandContext(ctx, d.Program, args...)
	command.Env = append(os.Environ(),
		"GATEHOUSE_URL="+d.running.URL, "GATEHOUSE_API_KEY="+d.running.Admin.Key.RevealString(), "DEMO_SECRET_ACCESS_KEY="+d.summary.Auditor.SecretAccessKey)
	command.Stdout, command.Stderr = d.Out, d.Err
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	if err := command.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the demo stopped at: gatehouse %s: %w", shown(args), err)
	}
	return nil
}

// shown writes arguments as one would type them.
func shown(args []string) string {
	typed := make([]string, len(args))
	for i, a := range args {
		typed[i] = a
		if strings.ContainsAny(a, " '\"$&|;<>()*?[]{}~#!\\") {
			typed[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(typed, " ")
}

func (d *demo) farewell() {
	key, err := filepath.Abs(d.running.Admin.File)
	if err != nil {
		key = d.running.Admin.File
	}
	fmt.Fprintf(d.Out, `
Serving until Ctrl-C.

  API    %[1]s      its reference: %[1]s/docs
  Key    %[2]s
         (kept in %[3]s)

Try, in another terminal:

  export GATEHOUSE_URL=%[1]s GATEHOUSE_API_KEY="$(cat %[3]s)"
  bin/gatehouse runs list
  bin/gatehouse entities list --kind Resource
  bin/gatehouse access who-can arn:aws:s3:::%[4]s --action s3:GetObject
  bin/gatehouse audit list

`, d.running.URL, d.running.Admin.Key.RevealString(), key, d.summary.Sensitive.Name)
}

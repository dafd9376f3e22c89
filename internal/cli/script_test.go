package cli_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	_ "time/tzdata" // the zones are needed on machines without them, too

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gatehouse-project/gatehouse/internal/cli"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// update rewrites the golden files of scripts: go test ./internal/cli -update.
var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gatehouse": func() {
			os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Standard(), recordingServices()))
		},
	})
}

// recordingServices print the options they were called with.
func recordingServices() cli.Services {
	return cli.Services{
		Version: "1.2.3",
		Demo:    record[cli.DemoOptions],
		Dev: func(ctx context.Context, p cli.Process, o cli.DevOptions) error {
			if err := record(ctx, p, o); err != nil || os.Getenv("TEST_SERVE") == "" {
				return err
			}
			// Like a service: serve until asked to end, then end well.
			<-ctx.Done()
			fmt.Fprintln(p.Stdout, "stopped")
			return nil
		},
		Serve:            record[cli.ServeOptions],
		Worker:           record[cli.WorkerOptions],
		Migrate:          record[cli.MigrateOptions],
		SimulateAWS:      record[cli.SimulateAWSOptions],
		SimulateAzure:    record[cli.SimulateAzureOptions],
		SimulateCyberArk: record[cli.SimulateCyberArkOptions],
		SimulateXero:     record[cli.SimulateOptions],
		LicenceKey: func(name string) (secret.Secret, string, error) {
			return secret.FromString("PRIVATE+KEY+" + name), name + "+public", nil
		},
		IssueLicence: func(o cli.LicenceOptions) (string, error) {
			text, err := json.Marshal(o)
			return "gatehouse-licence/v1\n" + string(text) + "\nkey " + o.SigningKey.RevealString(), err
		},
		Keys:    recordingKeys(),
		OpenAPI: func(context.Context) ([]byte, error) { return []byte(`{"openapi":"3.1.0"}`), nil },
	}
}

func record[T any](_ context.Context, p cli.Process, options T) error {
	p.Logger.Debug("called")
	text, err := json.Marshal(options)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "%s\n", text)
	return err
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			people := newFakeSignIn(env.T().(testing.TB))
			env.Values[signInKey{}] = people
			env.Setenv("PROVIDER_URL", people.provider)
			address := newFakeAPI(env.T().(testing.TB), people)
			env.Setenv("FAKE_URL", address)
			env.Setenv("GATEHOUSE_URL", address)
			env.Setenv("GATEHOUSE_API_KEY", apiKey)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("TERM", "xterm")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "mode": mode, "server-names": serverNames, "provider-saw": providerSaw, "expand": expand,
		},
	})
}

// exits runs a command and demands a status: exits 2 gatehouse ….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status command args...")
	}
	status := 0
	err := ts.Exec(args[1], args[2:]...)
	if err != nil {
		var failed interface{ ExitCode() int }
		if !asExit(err, &failed) {
			ts.Fatalf("%v", err)
		}
		status = failed.ExitCode()
	}
	if fmt.Sprint(status) != args[0] {
		ts.Fatalf("exited with %d, want %s", status, args[0])
	}
}

// mode demands the permissions of a file: mode 600 file.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

func asExit(err error, into *interface{ ExitCode() int }) bool {
	if e, ok := err.(interface{ ExitCode() int }); ok {
		*into = e
		return true
	}
	return false
}

// expand writes what a file of environment variables becomes: expand FROM TO.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: expand FROM TO")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	to := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(to), 0o700))
	ts.Check(os.WriteFile(to, []byte(text), 0o600))
}

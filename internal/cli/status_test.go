package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// remoteCommands is a line of each command that calls the server which its flags
// name: the first example of its help, unless that reads or writes files.
func remoteCommands(t *testing.T, dir string) [][]string {
	t.Helper()
	licence := filepath.Join(dir, "licence.txt")
	require.NoError(t, os.WriteFile(licence, []byte("x"), 0o600))
	instead := map[string][]string{"audit export": nil, "audit verify": nil, "licence install": {licence}}
	var lines [][]string
	for _, command := range testParser(t).Model.Leaves(true) {
		has := func(name string) bool {
			return slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return f.Name == name })
		}
		if !has("url") || !has("key-file") || command.Name == "set" {
			continue
		}
		path := commandPath(command)
		var line []string
		if rest, other := instead[strings.Join(path, " ")]; other {
			line = slices.Concat(path, rest)
		}
		for _, example := range examples(command.Detail) {
			parsed, err := testParser(t).Parse(arguments(example))
			require.NoError(t, err, example)
			if line == nil && slices.Equal(strings.Fields(commandOf(parsed)), path) {
				line = arguments(example)
			}
		}
		require.NotNil(t, line, "%s has no example of its own", path)
		if has("yes") {
			line = append(line, "--yes")
		}
		lines = append(lines, line)
	}
	return lines
}

// commandPath is the words that name a command.
func commandPath(command *kong.Node) []string {
	words := strings.Fields(strings.TrimPrefix(command.FullPath(), "gatehouse "))
	return slices.DeleteFunc(words, func(word string) bool { return strings.HasPrefix(word, "<") || strings.HasPrefix(word, "[") })
}

// status runs a command line, with words behind it, and returns its status.
func status(t *testing.T, services Services, line string, more ...string) (code int, printed string) {
	t.Helper()
	var said strings.Builder
	code = run(t.Context(), slices.Concat(strings.Fields(line), more), Streams{In: strings.NewReader(""), Out: &said, Err: &said}, services)
	return code, said.String()
}

// refusing answers with the status in the path that it was addressed by, as
// <url>/404.
func refusing(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answered, err := strconv.Atoi(strings.Split(r.URL.Path, "/")[1])
		if err != nil {
			answered = http.StatusTeapot
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(answered)
		fmt.Fprintf(w, `{"status":%d,"title":"x","detail":"refused"}`, answered)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Every command that calls a server exits as docs/cli.md says of what the server
// answers, and of no answer.
func TestEveryRemoteCommandExitsByWhatTheServerSays(t *testing.T) {
	t.Parallel()
	dir, url := t.TempDir(), refusing(t)
	key := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(key, []byte("gk_1_test\n"), 0o600))
	lines := remoteCommands(t, dir)
	require.Greater(t, len(lines), 45)
	for _, line := range lines {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			t.Parallel()
			for address, want := range map[string]int{
				"http://127.0.0.1:1": exitUnavailable, url + "/503": exitUnavailable, url + "/401": exitDenied, url + "/404": exitNotFound, url + "/409": exitFailure,
			} {
				code, said := status(t, Services{}, "", slices.Concat(line, []string{"--url", address, "--key-file", key})...)
				require.Equal(t, want, code, "%s: %s", address, said)
				require.Contains(t, said, "gatehouse: ")
			}
		})
	}
	for answered, want := range map[int]int{
		http.StatusUnauthorized: exitDenied, http.StatusForbidden: exitDenied, http.StatusNotFound: exitNotFound,
		http.StatusConflict: exitFailure, http.StatusPreconditionFailed: exitFailure, http.StatusUnprocessableEntity: exitUsage, http.StatusBadRequest: exitUsage,
		http.StatusInternalServerError: exitFailure, http.StatusTooManyRequests: exitUnavailable,
		http.StatusBadGateway: exitUnavailable, http.StatusServiceUnavailable: exitUnavailable, http.StatusGatewayTimeout: exitUnavailable,
	} {
		code, said := status(t, Services{}, "members list", "--url", fmt.Sprintf("%s/%d", url, answered), "--key-file", key)
		require.Equal(t, want, code, said)
	}
}

func TestFilesOfKeysHoldOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, want := range map[string]string{"": "is empty", "two keys": "holds something else than an API key", "missing": "cannot read"} {
		path := filepath.Join(dir, name)
		if name == "missing" {
			path = filepath.Join(dir, "nope")
		} else {
			path += ".key"
			require.NoError(t, os.WriteFile(path, []byte(name+"\n"), 0o600))
		}
		code, said := status(t, Services{}, "members list", "--url", "http://127.0.0.1:1", "--key-file", path)
		require.Equal(t, exitUsage, code, said)
		require.Contains(t, said, want)
	}
}

// The commands that run a part of the platform in this process exit by the kind of
// what it says.
func TestLocalCommandsExitByTheKindOfTheFailure(t *testing.T) {
	t.Parallel()
	kinds := map[fault.Kind]int{
		fault.Internal: exitFailure, fault.Conflict: exitFailure, fault.Invalid: exitUsage, fault.Unauthenticated: exitDenied,
		fault.Forbidden: exitDenied, fault.NotFound: exitNotFound, fault.Unavailable: exitUnavailable,
	}
	lines := []string{
		"demo", "dev", "worker --discovery-url http://x --integrations-url http://x --token-file t",
		"serve discovery --database-url postgres://x --token-file t", "migrate --database-url postgres://x", "simulate aws", "simulate azure", "simulate xero", "simulate cyberark",
		"keys list --database-url postgres://x", "keys check --database-url postgres://x --key local:x", "keys rewrap --database-url postgres://x --key local:x",
		"keys retire --database-url postgres://x local local:1 --yes", "keys create x", "openapi",
	}
	for kind, want := range kinds {
		services := failing(fmt.Errorf("it: %w", fault.New(kind, "says no")))
		for _, line := range lines {
			code, said := status(t, services, line)
			require.Equal(t, want, code, "%s: %s", line, said)
			require.Contains(t, said, "says no")
		}
	}
	for _, line := range lines {
		code, said := status(t, Services{}, line)
		require.Equal(t, exitFailure, code, "%s: %s", line, said)
	}
}

// failing are services that fail.
func failing(err error) Services {
	return Services{
		Demo:             func(context.Context, Process, DemoOptions) error { return err },
		Dev:              func(context.Context, Process, DevOptions) error { return err },
		Serve:            func(context.Context, Process, ServeOptions) error { return err },
		Worker:           func(context.Context, Process, WorkerOptions) error { return err },
		Migrate:          func(context.Context, Process, MigrateOptions) error { return err },
		SimulateAWS:      func(context.Context, Process, SimulateAWSOptions) error { return err },
		SimulateAzure:    func(context.Context, Process, SimulateAzureOptions) error { return err },
		SimulateXero:     func(context.Context, Process, SimulateOptions) error { return err },
		SimulateCyberArk: func(context.Context, Process, SimulateCyberArkOptions) error { return err },
		OpenAPI:          func(context.Context) ([]byte, error) { return nil, err },
		LicenceKey:       func(string) (secret.Secret, string, error) { return secret.Secret{}, "", err },
		Keys: KeyServices{
			List:  func(context.Context, string, KeyOptions) ([]KeyInUse, error) { return nil, err },
			Check: func(context.Context, string, KeyOptions) ([]KeyCheck, error) { return nil, err },
			Rewrap: func(context.Context, string, KeyOptions, func(int64, int64)) (RewrapResult, error) {
				return RewrapResult{}, err
			},
			Retire: func(context.Context, string, string, string) error { return err },
			Create: func(string) (string, error) { return "", err },
		},
	}
}

// A file that the command line names is its own mistake when it is not there.
func TestFilesThatAreNotThereAreUsage(t *testing.T) {
	t.Parallel()
	services := Services{
		Migrate:      func(context.Context, Process, MigrateOptions) error { return errors.New("not reached") },
		IssueLicence: func(LicenceOptions) (string, error) { return "", errors.New("not reached") },
	}
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("gk_1_test"), 0o600))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"origin":"gatehouse/t_1/w_1","public_key":"","licensed":true,"configuration":{"type":"object","properties":{"s":{"type":"string","writeOnly":true}}}}`)
	}))
	t.Cleanup(server.Close)
	at := " --url " + server.URL + " --key-file " + key
	for _, line := range []string{
		"connections create --from-file /nope" + at, "connections create aws --name X --set-file s=/nope" + at, "licence install /nope" + at,
		"audit verify --public-key /nope" + at,
		"licence issue --signing-key /nope --id x --tenant t_1 --licensee X --integrations aws --for 1h", "migrate --database-url postgres://x --password-file svc_discovery=/nope",
	} {
		code, said := status(t, services, line)
		require.Equal(t, exitUsage, code, "%s: %s", line, said)
		require.Contains(t, said, "/nope")
	}
}

package story

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// ownConnector is a connector in Python, made, verified and registered as the guide
// says (docs/connectors/your-own.md).
type ownConnector struct {
	folder, file string
	// missing says why there is none.
	missing string
}

// newOwnConnector goes through the guide up to the registration.
func newOwnConnector(t *testing.T) ownConnector {
	t.Helper()
	// Where nobody can get to the folders of tests, a root worker's program cannot either.
	folder, err := os.MkdirTemp("", "own-connector-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	o := ownConnector{folder: filepath.Join(folder, "my-connector"), file: filepath.Join(folder, "connectors.json")}
	made := command(t, nil, "connector", "init", "--language", "python", o.folder)
	require.Zero(t, made.status, made.stderr)
	if _, err := sandbox.Resolve(o.program(), nil); err != nil {
		o.file, o.missing = "", err.Error()
		return o
	}
	verified := command(t, nil, "connector", "verify", o.program(), "--settings", filepath.Join(o.folder, "verify.json"))
	require.Zero(t, verified.status, verified.stdout+verified.stderr)
	o.register(t)
	return o
}

func (o ownConnector) program() string { return filepath.Join(o.folder, "connector.py") }

func (o ownConnector) register(t *testing.T) {
	t.Helper()
	registered := command(t, nil, "connector", "register", o.program(), "--connectors-file", o.file)
	require.Zero(t, registered.status, registered.stderr)
	require.Contains(t, registered.stderr, "is registered")
}

// tell connects the sample controller through the API, discovers it with the program,
// and asks who can open the vault. Then the program is changed, and is not started.
func (o ownConnector) tell(t *testing.T, p *plane) {
	if o.missing != "" {
		t.Skipf("there is no python3 to run a connector with: %s", o.missing)
	}
	var shown client.Integration
	p.ask(t, &shown, "integrations", "show", "doors")
	require.Equal(t, "operator", shown.ProvidedBy)
	p.ask(t, &shown, "integrations", "show", "aws")
	require.Equal(t, "gatehouse", shown.ProvidedBy)

	controller := startProgram(t, filepath.Join(o.folder, "sample_controller.py"), nil)
	url := controller.await(t, `(http://[0-9.:]+)`)
	created := p.cli(t, []string{"DOORS_TOKEN=let-me-in"}, "connections", "create", "doors", "--name", "Head office", "--set", "url="+url, "--set-env", "token=DOORS_TOKEN")
	require.Zero(t, created.status, created.stderr)
	tested := p.cli(t, nil, "connections", "test", "Head office")
	require.Zero(t, tested.status, tested.stdout+tested.stderr)
	ran := p.cli(t, nil, "runs", "start", "discovery.run", "--connection", "Head office", "--watch")
	require.Zero(t, ran.status, ran.stdout+ran.stderr)

	vault := p.cli(t, nil, "access", "who-can", "d3")
	require.Zero(t, vault.status, vault.stderr)
	require.Contains(t, vault.stdout, "Ada Example")
	require.NotContains(t, vault.stdout, "Chris Example")
	laboratory := p.cli(t, nil, "access", "who-can", "d2")
	require.Contains(t, laboratory.stdout, "Chris Example")
	require.NotContains(t, laboratory.stdout, "Bo Example")

	was, err := os.ReadFile(o.program())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.program(), append(was, "# changed\n"...), 0o600))
	listed := command(t, nil, "connector", "list", "--connectors-file", o.file)
	require.Contains(t, listed.stdout, "changed")
	refused := p.cli(t, nil, "connections", "test", "Head office")
	require.NotZero(t, refused.status)
	again := p.cli(t, nil, "access", "who-can", "d3")
	require.Contains(t, again.stdout, "Ada Example", "what was read stays")
}

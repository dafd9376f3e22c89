package scaffold_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/process"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
	"github.com/gatehouse-project/gatehouse/internal/scaffold"
	"github.com/gatehouse-project/gatehouse/internal/verify"
)

// TestMain is also the step between of the sandbox.
func TestMain(m *testing.M) {
	sandbox.Enter()
	os.Exit(m.Run())
}

// TestTemplatesVerifyAsTheyAre makes a connector in each language, builds it without a
// network, and holds it to the contract.
func TestTemplatesVerifyAsTheyAre(t *testing.T) {
	t.Parallel()
	for language, prepare := range map[string]func(t *testing.T, folder string) string{
		"go": func(t *testing.T, folder string) string {
			for _, target := range []struct{ out, of string }{{"doors", "."}, {"controller", "./sample"}} {
				build := exec.Command("go", "build", "-o", target.out, target.of)
				build.Dir = folder
				build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
				said, err := build.CombinedOutput()
				require.NoError(t, err, string(said))
			}
			return "doors"
		},
		"python": func(t *testing.T, _ string) string {
			if _, err := sandbox.Resolve("python/connector.py", nil); err != nil {
				t.Skipf("there is no python3 here: %v", err)
			}
			return "connector.py"
		},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "connector")
			written, err := scaffold.Write(folder, language)
			require.NoError(t, err)
			require.Contains(t, written, "README.md")
			program := prepare(t, folder)
			command, err := sandbox.Resolve(filepath.Join(folder, program), nil)
			require.NoError(t, err)
			settings, err := verify.Load(filepath.Join(folder, "verify.json"))
			require.NoError(t, err)
			if language == "go" {
				// Compiled above: what go run would do again.
				settings.Provider = []string{"./controller"}
			}
			report, err := verify.Run(t.Context(), verify.Options{
				Program: process.Program{Command: command, Limits: process.DefaultLimits()}, Settings: settings,
				Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Stderr: t.Output(),
			})
			require.NoError(t, err)
			require.Len(t, report.Results, 11)
			require.False(t, slices.ContainsFunc(report.Results, func(r verify.Result) bool { return r.Outcome != verify.Passed }), "%+v", report.Results)
		})
	}
}

func TestWriteOverwritesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	kept := filepath.Join(folder, "kept")
	require.NoError(t, os.WriteFile(kept, []byte("mine"), 0o600))
	_, err := scaffold.Write(folder, "python")
	require.ErrorContains(t, err, "is not empty")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1)
	_, err = scaffold.Write(filepath.Join(folder, "new"), "cobol")
	require.ErrorContains(t, err, "go and python")
}

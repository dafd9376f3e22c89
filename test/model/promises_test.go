package model

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root     = "../.."
	promises = root + "/docs/gate-and-runs.md"
	heading  = "## What holds, and which test tries to break it"
)

// Every test that the documentation names exists, and every invariant of the
// machine is in the table.
func TestPromisesNameTheirTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(promises)
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), heading)
	require.True(t, found, "%s has no section %q", promises, heading)
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)").FindAllStringSubmatch(table, -1)
	require.NotEmpty(t, named)
	there := testsOf(t)
	for _, name := range named {
		require.True(t, there[name[1]], "%s names %s, which there is not", promises, name[1])
	}
	for _, i := range invariants() {
		if i != asTheModelSays && i != unknownIsOneOf {
			require.Contains(t, table, "| "+string(i)+" |", "the table has no row for it")
		}
	}
}

// testsOf are the names of all tests of the module.
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, name := range declared.FindAllSubmatch(source, -1) {
			found[string(name[1])] = true
		}
		return err
	})
	require.NoError(t, err)
	return found
}

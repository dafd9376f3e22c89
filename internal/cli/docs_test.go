package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// documented are the commands that the first table of docs/cli.md names, in the
// short form of it: `runs start/list` is two.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	opening, _, found := strings.Cut(string(text), "\n## ")
	require.True(t, found)
	table := strings.Join(regexp.MustCompile(`(?m)^\|.*$`).FindAllString(opening, -1), "\n")
	known := map[string]bool{}
	for _, span := range regexp.MustCompile("`([a-z][a-z -]*[a-z/-]*)`").FindAllStringSubmatch(table, -1) {
		group, names, several := strings.Cut(span[1], " ")
		if !several {
			known[group] = true
			continue
		}
		for _, name := range strings.Split(names, "/") {
			known[group+" "+name] = true
		}
	}
	return known
}

// Every command is in the table of docs/cli.md, and nothing else is.
func TestDocumentationNamesEveryCommand(t *testing.T) {
	t.Parallel()
	known := documented(t)
	there := map[string]bool{}
	for _, command := range testParser(t).Model.Leaves(true) {
		path := strings.Join(commandPath(command), " ")
		there[path] = true
		require.True(t, known[path], "docs/cli.md does not name gatehouse %s in its table of commands", path)
	}
	for path := range known {
		require.True(t, there[path], "docs/cli.md names gatehouse %s, which does not exist", path)
	}
}

package archtest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages returns the folders of the tree with a doc.go, but for testdata.
func packages(t *testing.T, root string) (folders []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.Name() != "doc.go":
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(name))
		folders = append(folders, filepath.ToSlash(folder))
		return err
	}))
	require.NotEmpty(t, folders)
	return folders
}

// A stranger finds each package from the layout in docs/architecture.md, which
// names no folder that there is not.
func TestTheLayoutNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/architecture.md")
	require.NoError(t, err)
	_, layout, found := strings.Cut(string(text), "## Layout")
	require.True(t, found)
	layout, _, _ = strings.Cut(layout, "\n## ")
	named := map[string]bool{}
	for _, word := range regexp.MustCompile(`[a-z0-9/]+/`).FindAllString(layout, -1) {
		for _, part := range strings.Split(strings.Trim(word, "/"), "/") {
			named[part] = true
		}
	}
	there := map[string]bool{}
	for _, folder := range packages(t, "../..") {
		if folder == "." {
			continue // it has no name there
		}
		require.True(t, named[path.Base(folder)], "docs/architecture.md does not name %s", folder)
		for _, part := range strings.Split(folder, "/") {
			there[part] = true
		}
	}
	for _, other := range []string{"cmd", "dbsqlc", "migrations", "queries", "docs", "test", "tools", "scripts"} {
		there[other] = true
	}
	for name := range named {
		require.True(t, there[name], "docs/architecture.md names %s/, which there is not", name)
	}
}

// The index lists each decision by its file and title's number, in order.
func TestTheIndexListsEveryDecision(t *testing.T) {
	t.Parallel()
	const folder = "../../docs/decisions"
	index, err := os.ReadFile(filepath.Join(folder, "README.md"))
	require.NoError(t, err)
	var listed []string
	for _, row := range regexp.MustCompile(`(?m)^\| \[(\d{4})\]\((\d{4})(-[a-z0-9-]+\.md)\) \|`).FindAllStringSubmatch(string(index), -1) {
		require.Equal(t, row[1], row[2])
		listed = append(listed, row[2]+row[3])
	}
	files, err := filepath.Glob(filepath.Join(folder, "[0-9]*.md"))
	require.NoError(t, err)
	var there []string
	for _, file := range files {
		there = append(there, filepath.Base(file))
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "# "+filepath.Base(file)[:4]+". "), file)
	}
	require.Equal(t, there, listed)
}

package pgserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// installation is one directory with the programs of one PostgreSQL version.
type installation struct {
	binDir string
	major  int
}

func (i installation) program(name string) string { return filepath.Join(i.binDir, name) }

// binDirPatterns are the places where packages put the server's programs, which
// most of them keep out of PATH: Debian and Ubuntu, Red Hat, Homebrew on both
// kinds of Mac and on Linux.
func binDirPatterns() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	}
}

// findInstallation returns the highest installed version, or exactly version
// major when that is not 0. binDir limits the search to that directory.
func findInstallation(ctx context.Context, binDir string, major int) (installation, error) {
	patterns := []string{binDir}
	if binDir == "" {
		patterns = append(binDirPatterns(), filepath.SplitList(os.Getenv("PATH"))...)
	}
	var found []installation
	for _, dir := range expand(patterns) {
		if inst, ok := inspect(ctx, dir); ok {
			found = append(found, inst)
		}
	}
	if err := ctx.Err(); err != nil {
		return installation{}, fmt.Errorf("look for PostgreSQL: %w", err)
	}
	return choose(found, major, patterns)
}

// choose takes the first of the highest usable versions, so that packaged
// directories come before PATH.
func choose(found []installation, major int, searched []string) (installation, error) {
	usable := slices.DeleteFunc(slices.Clone(found), func(i installation) bool {
		return i.major < MinimumMajor || (major != 0 && i.major != major)
	})
	if len(usable) == 0 {
		return installation{}, &NotInstalledError{Major: major, Searched: searched}
	}
	slices.SortStableFunc(usable, func(a, b installation) int { return cmp.Compare(b.major, a.major) })
	return usable[0], nil
}

func expand(patterns []string) []string {
	var dirs []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil { // a PATH entry that is no valid pattern is taken literally
			matches = []string{pattern}
		}
		dirs = append(dirs, matches...)
	}
	return dirs
}

// inspect tells whether dir holds a complete server, and of which version.
func inspect(ctx context.Context, dir string) (installation, bool) {
	if dir == "" {
		return installation{}, false
	}
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return installation{}, false
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return installation{}, false
	}
	major, err := parseMajor(string(out))
	if err != nil {
		return installation{}, false
	}
	return installation{binDir: dir, major: major}, true
}

// parseMajor reads the major version from what `postgres --version` prints,
// such as "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or "… 19beta1".
func parseMajor(version string) (int, error) {
	_, rest, ok := strings.Cut(version, "(PostgreSQL) ")
	if !ok {
		return 0, fmt.Errorf("not a PostgreSQL version: %q", version)
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	major, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("not a PostgreSQL version: %q", version)
	}
	return major, nil
}

// clusterMajor returns the version that wrote the cluster, 0 when there is no
// cluster yet.
func clusterMajor(cluster string) (int, error) {
	content, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the cluster's version: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("read the cluster's version: %w", err)
	}
	return major, nil
}

// Program returns the path of a program beside the server's, such as pgbench; ok
// is false when it is not installed.
func (s *Server) Program(name string) (path string, ok bool) {
	path = s.inst.program(name)
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular()
}

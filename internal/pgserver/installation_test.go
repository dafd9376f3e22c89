package pgserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMajor(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 19beta1\n":                        19,
		"postgres (PostgreSQL) 9.6.24":                           9,
	} {
		got, err := parseMajor(version)
		require.NoError(t, err, version)
		require.Equal(t, want, got, version)
	}
	for _, version := range []string{"", "mysqld 8.4", "postgres (PostgreSQL) devel"} {
		_, err := parseMajor(version)
		require.Error(t, err, version)
	}
}

func TestChooseTakesTheHighestUsable(t *testing.T) {
	t.Parallel()
	found := []installation{{"/a", 14}, {"/b", 16}, {"/c", 18}, {"/d", 18}}
	got, err := choose(found, 0, nil)
	require.NoError(t, err)
	require.Equal(t, installation{"/c", 18}, got)

	got, err = choose(found, 16, nil)
	require.NoError(t, err, "an existing cluster is served by the version that wrote it")
	require.Equal(t, installation{"/b", 16}, got)
}

func TestChooseNamesTheMissingVersion(t *testing.T) {
	t.Parallel()
	_, err := choose([]installation{{"/a", 14}}, 0, []string{"/a"})
	require.ErrorContains(t, err, "PostgreSQL 15 or newer")
	_, err = choose([]installation{{"/a", 18}}, 16, []string{"/a"})
	require.ErrorContains(t, err, "apt-get install postgresql-16")
}

func TestInspectNeedsBothPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := []byte("#!/bin/sh\necho 'postgres (PostgreSQL) 17.2'\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres"), script, 0o755))
	_, ok := inspect(t.Context(), dir)
	require.False(t, ok)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "initdb"), script, 0o755))
	got, ok := inspect(t.Context(), dir)
	require.True(t, ok)
	require.Equal(t, installation{dir, 17}, got)
}

func TestClusterMajor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	major, err := clusterMajor(dir)
	require.NoError(t, err)
	require.Zero(t, major, "no cluster yet")

	path := filepath.Join(dir, "PG_VERSION")
	require.NoError(t, os.WriteFile(path, []byte("16\n"), 0o600))
	major, err = clusterMajor(dir)
	require.NoError(t, err)
	require.Equal(t, 16, major)

	require.NoError(t, os.WriteFile(path, []byte("soon\n"), 0o600))
	_, err = clusterMajor(dir)
	require.Error(t, err)
}

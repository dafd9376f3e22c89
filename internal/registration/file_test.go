package registration

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

func registered(integration string) Registration {
	return Registration{
		Program: "/opt/" + integration, SHA256: strings.Repeat("a", 64), RegisteredAt: time.Unix(1, 0).UTC(), Limits: Limits{MemoryMiB: 64},
		Manifest: connector.Manifest{IntegrationID: integration, Version: "1", Configuration: []byte(`{}`), Scope: []byte(`{}`)},
	}
}

func TestFileKeepsOneOfEachIntegration(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connectors.json")
	for _, integration := range []string{"doors", "bells"} {
		replaced, err := Put(path, registered(integration))
		require.NoError(t, err)
		require.False(t, replaced)
	}
	newer := registered("doors")
	newer.Manifest.Version = "2"
	replaced, err := Put(path, newer)
	require.NoError(t, err)
	require.True(t, replaced)
	all, err := Load(path)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "bells", all[0].Manifest.IntegrationID)
	require.Equal(t, newer.Manifest.Version, all[1].Manifest.Version)
	require.Equal(t, newer.SHA256, all[1].SHA256)

	removed, err := Remove(path, "nothing")
	require.NoError(t, err)
	require.False(t, removed)
	removed, err = Remove(path, "doors")
	require.NoError(t, err)
	require.True(t, removed)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside the file")
}

func TestFileIsReadStrictly(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"connectors":[{"program":"/x","sha256":""}]}`:                                "not pinned",
		`{"connectors":[{"program":"x","sha256":"` + strings.Repeat("a", 64) + `"}]}`:  "absolute",
		`{"connectors":[{"program":"/x","sha":"` + strings.Repeat("a", 64) + `"}]}`:    "unknown field",
		`{"connectors":[{"program":"/x","sha256":"` + strings.Repeat("A", 64) + `"}]}`: "lower case",
		`nothing`: "gatehouse connector register",
	} {
		path := filepath.Join(t.TempDir(), "connectors.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Load(path)
		require.ErrorContains(t, err, says)
	}
	none, err := Load("")
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestConnectorIsNotStartedWhenItsProgramIsGone(t *testing.T) {
	t.Parallel()
	k := registered("doors").Connector(true)
	require.Equal(t, "doors", k.Manifest().IntegrationID)
	_, err := k.Open(context.Background(), connector.Settings{})
	require.ErrorContains(t, err, "could not be started")
}

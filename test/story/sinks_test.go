package story

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// everyAnswer asks every question that the OpenAPI document knows, about things
// that there are, and what is not in the document.
func everyAnswer(t *testing.T, p *plane, conn string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.json")
	require.NoError(t, err)
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name, In string
				Required bool
			}
		}
	}
	require.NoError(t, json.Unmarshal(text, &document))
	known := map[string][]string{"{connection_id}": {conn}, "{integration_id}": {"aws"}}
	runs, err := p.api.Runs(t.Context(), client.RunFilter{}, client.Pages{})
	require.NoError(t, err)
	for _, run := range runs.Items {
		known["{run_id}"] = append(known["{run_id}"], run.RunID)
	}
	for _, e := range p.entities(t, conn) {
		known["{entity_id}"] = []string{e.EntityID}
		switch e.Kind {
		case "Resource":
			known["{resource_id}"] = []string{e.EntityID}
		case "Principal":
			known["{principal_id}"] = []string{e.EntityID}
		}
	}
	var all bytes.Buffer
	asked := 0
	for path, methods := range document.Paths {
		get, ok := methods["get"]
		if !ok {
			continue
		}
		paths, query := []string{path}, url.Values{}
		for _, parameter := range get.Parameters {
			switch {
			case parameter.In == "path":
				name := "{" + parameter.Name + "}"
				paths = filled(paths, name, known[name])
			case parameter.Name == "limit":
				query.Set("limit", "50")
			case parameter.Required: // from and to
				query.Set(parameter.Name, known["{entity_id}"][0])
			}
		}
		for _, path := range paths {
			status, text := p.get(t, path+"?"+query.Encode())
			require.Less(t, status, 500, path)
			all.WriteString(text)
			asked++
		}
	}
	require.Greater(t, asked, len(runs.Items)+10)
	for _, path := range []string{"/metrics", "/openapi.json", "/healthz", "/readyz"} {
		status, text := p.get(t, path)
		require.Equal(t, 200, status, path)
		all.WriteString(text)
	}
	return all.Bytes()
}

// filled puts each value in the place of a parameter; one that nothing is known
// of gets an id of nothing.
func filled(paths []string, name string, values []string) []string {
	if values == nil {
		values = []string{"none_1"}
	}
	var filled []string
	for _, path := range paths {
		for _, value := range values {
			filled = append(filled, strings.ReplaceAll(path, name, value))
		}
	}
	return filled
}

// everyExport is every file that can be taken out, with its manifest, and an
// answer as evidence.
func everyExport(t *testing.T, p *plane, conn, bucket string) []byte {
	t.Helper()
	found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn, ProviderID: bucket}, client.Pages{})
	require.NoError(t, err)
	resource := found.Items[0].EntityID
	who, err := p.api.WhoCan(t.Context(), resource, client.AccessFilter{}, client.Pages{})
	require.NoError(t, err)
	account := who.Items[0].Account.EntityID
	var all bytes.Buffer
	add := func(formats string, q client.ExportQuery) {
		for format := range strings.SplitSeq(formats, " ") {
			q.Format = format
			x := p.export(t, q)
			manifest, err := p.api.ExportManifest(t.Context(), x.ExportID)
			require.NoError(t, err)
			all.Write(x.content)
			all.Write(manifest)
		}
	}
	const tables = "csv jsonl parquet"
	for _, what := range []string{"entities", "relationships", "changes", "identities"} {
		add(tables, client.ExportQuery{What: what})
	}
	add("opengraph", client.ExportQuery{What: "graph"})
	add(tables+" opengraph evidence", client.ExportQuery{What: "who_can", ResourceID: resource})
	add(tables+" opengraph evidence", client.ExportQuery{What: "what_can", PrincipalID: account})
	add(tables+" opengraph evidence", client.ExportQuery{What: "why", From: account, To: resource})
	kept := filepath.Join(t.TempDir(), "evidence")
	made := p.cli(t, nil, "evidence", "create", "why", account, resource, "--to", kept)
	require.Zero(t, made.status, made.stderr)
	text, err := os.ReadFile(kept)
	require.NoError(t, err)
	all.Write(text)
	return all.Bytes()
}

// everyRow reads all tables as text, in which bytes are hexadecimal.
func everyRow(t *testing.T, database string) []byte {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	tables := texts(t, conn, `select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`)
	require.Subset(t, tables, []string{"public.credentials", "public.audit_events", "river.river_job", "public.runs"})
	var all bytes.Buffer
	for _, table := range tables {
		all.WriteString(strings.Join(texts(t, conn, "select t::text from "+table+" t"), "\n"))
	}
	return all.Bytes()
}

// activity is what the server tells of its own work: statements under way and
// their statistics, settings, roles, functions. The open text is in one of them.
func activity(t *testing.T, database, open string) []byte {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	views := texts(t, conn, `select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relname in ('pg_stat_activity', 'pg_stat_statements', 'pg_settings', 'pg_proc', 'pg_description', 'pg_db_role_setting', 'pg_authid', 'pg_statistic', 'pg_shmem_allocations', 'pg_prepared_statements', 'pg_largeobject')`)
	require.Contains(t, views, "pg_catalog.pg_stat_activity")
	var all bytes.Buffer
	for _, view := range views {
		all.WriteString(strings.Join(texts(t, conn, "select v::text from "+view+" v /* "+open+" */"), "\n"))
	}
	return all.Bytes()
}

func texts(t *testing.T, conn *pgx.Conn, sql string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return found
}

// everyFile reads a directory but for some files: of a data directory tables and
// indexes as they are on disk, the write-ahead log, PostgreSQL's log.
func everyFile(t *testing.T, dir string, but []string) []byte {
	t.Helper()
	var all bytes.Buffer
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		below, err := filepath.Rel(dir, path)
		if err != nil || slices.Contains(but, below) {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	return all.Bytes()
}

// entries are the names in a directory.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := make([]string, len(found))
	for i, entry := range found {
		names[i] = entry.Name()
	}
	return names
}

package story

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// exported is a completed export and its file.
type exported struct {
	client.Export
	content []byte
}

// export makes an export and downloads its file.
func (p *plane) export(t *testing.T, q client.ExportQuery) exported {
	t.Helper()
	a, err := p.api.CreateExport(t.Context(), q, rand.Text())
	require.NoError(t, err)
	eventually(t, a.Value.ExportID+" is completed", func() bool {
		a, err = p.api.Export(t.Context(), a.Value.ExportID)
		require.NoError(t, err)
		require.NotEqual(t, "failed", a.Value.Status, a.Value.Failure)
		return a.Value.Status == "completed"
	})
	var content bytes.Buffer
	_, err = p.api.DownloadExport(t.Context(), a.Value.ExportID, "", 0, nil, &content)
	require.NoError(t, err)
	return exported{a.Value, content.Bytes()}
}

// downloads takes files out by any program that speaks HTTP, and by the command
// line over a line that is cut.
func downloads(t *testing.T, p *plane) {
	c := newCloud(t, 38)
	conn := p.connect(t, "Downloads", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	x := p.export(t, client.ExportQuery{What: "relationships", Format: "jsonl", ConnectionID: conn})
	require.Greater(t, len(x.content), 4*part)
	require.EqualValues(t, len(x.content), x.Bytes)
	for name, tell := range map[string]func(*testing.T, *plane, exported){
		"in parts":           inParts,
		"killed":             killedDownload,
		"damaged on the way": damagedDownload,
		"damaged at rest":    damagedPart,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(t, p, x)
		})
	}
}

// part is where downloads are cut.
const part = 64 << 10

// inParts asks for ranges as RFC 9110 has them.
func inParts(t *testing.T, p *plane, x exported) {
	sum := sha256.Sum256(x.content)
	tag := strconv.Quote(hex.EncodeToString(sum[:]))
	size := len(x.content)
	of := func(from, to int) string { return fmt.Sprintf("bytes %d-%d/%d", from, to-1, size) }
	for name, test := range map[string]struct {
		method   string
		header   map[string]string
		status   int
		from, to int
		contents string
	}{
		"whole":                    {"GET", nil, 200, 0, size, ""},
		"head":                     {"HEAD", nil, 200, 0, 0, ""},
		"from a place":             {"GET", map[string]string{"Range": "bytes=1000-"}, 206, 1000, size, of(1000, size)},
		"between two places":       {"GET", map[string]string{"Range": "bytes=10-19"}, 206, 10, 20, of(10, 20)},
		"the end":                  {"GET", map[string]string{"Range": "bytes=-7"}, 206, size - 7, size, of(size-7, size)},
		"beyond the end":           {"GET", map[string]string{"Range": "bytes=5-99999999999"}, 206, 5, size, of(5, size)},
		"of this file":             {"GET", map[string]string{"Range": "bytes=9-", "If-Range": tag}, 206, 9, size, of(9, size)},
		"of another file":          {"GET", map[string]string{"Range": "bytes=9-", "If-Range": `"0123"`}, 200, 0, size, ""},
		"several ranges":           {"GET", map[string]string{"Range": "bytes=0-1,4-5"}, 200, 0, size, ""},
		"another unit":             {"GET", map[string]string{"Range": "rows=1-2"}, 200, 0, size, ""},
		"behind the end":           {"GET", map[string]string{"Range": fmt.Sprintf("bytes=%d-", size)}, 416, 0, 0, fmt.Sprintf("bytes */%d", size)},
		"backwards":                {"GET", map[string]string{"Range": "bytes=9-1"}, 416, 0, 0, ""},
		"what is there already":    {"GET", map[string]string{"If-None-Match": tag}, 304, 0, 0, ""},
		"what has not been":        {"GET", map[string]string{"If-None-Match": `"0123"`}, 200, 0, size, ""},
		"head of what is there":    {"HEAD", map[string]string{"If-None-Match": tag}, 304, 0, 0, ""},
		"only this file":           {"GET", map[string]string{"If-Match": tag}, 200, 0, size, ""},
		"only a file that is none": {"GET", map[string]string{"If-Match": `"0123"`}, 412, 0, 0, ""},
	} {
		res, body := p.content(t, test.method, x.ExportID, test.header)
		require.Equal(t, test.status, res.StatusCode, "%s: %s", name, body)
		require.Equal(t, test.contents, res.Header.Get("Content-Range"), name)
		if test.status >= 400 {
			require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"), name)
			require.Contains(t, string(body), fmt.Sprintf(`"status":%d`, test.status), name)
			continue
		}
		require.True(t, bytes.Equal(x.content[test.from:test.to], body), name)
		require.Equal(t, tag, res.Header.Get("ETag"), name)
		if test.status == 200 {
			require.Equal(t, strconv.Itoa(size), res.Header.Get("Content-Length"), name)
			require.Equal(t, "bytes", res.Header.Get("Accept-Ranges"), name)
			require.Equal(t, "application/x-ndjson", res.Header.Get("Content-Type"), name)
			require.Equal(t, "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":", res.Header.Get("Repr-Digest"), name)
			require.Equal(t, `attachment; filename="`+x.FileName+`"`, res.Header.Get("Content-Disposition"), name)
		}
	}
	var parts []byte
	for at := 0; at < size; at += part {
		_, body := p.content(t, "GET", x.ExportID, map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", at, at+part-1)})
		parts = append(parts, body...)
	}
	require.True(t, bytes.Equal(x.content, parts), "all parts are the whole")
	res, body := p.content(t, "GET", "exp_999999", nil)
	require.Equal(t, 404, res.StatusCode, "%s", body)
}

// content asks for a file, or a part of it.
func (p *plane) content(t *testing.T, method, export string, header map[string]string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+"/v1/exports/"+export+"/content", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Accept-Encoding", "identity")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, body
}

// killedDownload kills the command in the midst of a download. The same command
// goes on from there.
func killedDownload(t *testing.T, p *plane, x exported) {
	over := newCut(t, p)
	to := filepath.Join(t.TempDir(), "relationships.jsonl")
	first := start(t, over.environment(), "exports", "download", x.ExportID, "--to", to)
	unfinished := to + "." + x.ExportID + ".part"
	eventually(t, "a part has come", func() bool {
		info, err := os.Stat(unfinished)
		return err == nil && info.Size() >= part/2
	})
	first.kill(t)
	require.NoFileExists(t, to, "half a file has no name")
	info, err := os.Stat(unfinished)
	require.NoError(t, err)
	require.Less(t, info.Size(), x.Bytes)

	over.whole()
	again := command(t, over.environment(), "exports", "download", x.ExportID, "--to", to)
	require.Zero(t, again.status, again.stderr)
	require.Equal(t, []string{"", fmt.Sprintf("bytes=%d-", info.Size())}, over.asked(), "the rest alone is asked for")
	requireFile(t, x.content, to)
	require.NoFileExists(t, unfinished)
}

func requireFile(t *testing.T, want []byte, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}

// damagedDownload changes a byte on the way: what came is thrown away.
func damagedDownload(t *testing.T, p *plane, x exported) {
	over := newCut(t, p)
	over.damage()
	to := filepath.Join(t.TempDir(), "relationships.jsonl")
	got := command(t, over.environment(), "exports", "download", x.ExportID, "--to", to)
	require.Equal(t, 1, got.status)
	require.Contains(t, got.stderr, "it is thrown away: download it again")
	require.Empty(t, entries(t, filepath.Dir(to)), "nothing is left")
	over.whole()
	got = command(t, over.environment(), "exports", "download", x.ExportID, "--to", to)
	require.Zero(t, got.status, got.stderr)
	requireFile(t, x.content, to)
}

// damagedPart goes on from a part that is not of this file: the hash tells. One
// that is longer than the file cannot be of it, and is begun anew.
func damagedPart(t *testing.T, p *plane, x exported) {
	for _, length := range []int{part, len(x.content), len(x.content) + 1} {
		to := filepath.Join(t.TempDir(), "relationships.jsonl")
		require.NoError(t, os.WriteFile(to+"."+x.ExportID+".part", bytes.Repeat([]byte("?"), length), 0o600))
		got := p.cli(t, nil, "exports", "download", x.ExportID, "--to", to)
		if length > len(x.content) {
			require.Zero(t, got.status, got.stderr)
			requireFile(t, x.content, to)
			continue
		}
		require.Equal(t, 1, got.status, got.stdout)
		require.Contains(t, got.stderr, "it is thrown away")
		require.Empty(t, entries(t, filepath.Dir(to)))
	}
}

// evidenceHolds keeps an answer with its proof, which an auditor checks without
// the server, and finds what was changed.
func evidenceHolds(t *testing.T, p *plane) {
	c := newCloud(t, 41)
	conn := p.connect(t, "Evidence", c.configuration(nil))
	run := p.discover(t, conn)
	require.Equal(t, "succeeded", run.Outcome)
	found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn, ProviderID: c.bucket()}, client.Pages{})
	require.NoError(t, err)
	dir := t.TempDir()
	kept, key := filepath.Join(dir, "payroll.evidence"), filepath.Join(dir, "audit.pub")
	created := p.cli(t, nil, "evidence", "create", "who-can", found.Items[0].EntityID, "--action", "s3:GetObject", "--to", kept)
	require.Zero(t, created.status, created.stderr)
	require.Contains(t, created.stdout, "the evidence holds")
	require.Contains(t, created.stdout, run.RunID, "the run's publication is proven")
	shown := p.cli(t, nil, "audit", "key")
	require.Zero(t, shown.status, shown.stderr)
	require.NoError(t, os.WriteFile(key, []byte(shown.stdout), 0o600))

	// Nobody is there to be asked.
	nowhere := []string{"GATEHOUSE_URL=http://127.0.0.1:1", "GATEHOUSE_API_KEY=none"}
	verified := command(t, nowhere, "evidence", "verify", kept, "--key", strings.TrimSpace(shown.stdout), "-o", "json")
	require.Zero(t, verified.status, verified.stdout+verified.stderr)
	require.Zero(t, command(t, nowhere, "evidence", "verify", kept, "--key", key).status)
	text, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Contains(t, string(text), c.Summary().Contractor.DirectoryUserID)
	changed := bytes.Replace(text, []byte(`"decision":"conditional"`), []byte(`"decision":"denied"     `), 1)
	require.NotEqual(t, text, changed)
	require.NoError(t, os.WriteFile(kept, changed, 0o600))
	refused := command(t, nowhere, "evidence", "verify", kept, "--key", key)
	require.Equal(t, 5, refused.status)
	require.Contains(t, refused.stdout, "THE EVIDENCE DOES NOT HOLD")
}

package canary_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/test/canary"
)

// secret has what each encoding writes otherwise.
const secret = `wJalrXUtnFEMI/K7MDENG+bPxRfiCY<&>"1"`

func newScanner(t *testing.T) *canary.Scanner {
	t.Helper()
	s, err := canary.New(map[string]string{"canary": secret})
	require.NoError(t, err)
	return s
}

// encoders are the ways in which programs write a text, made without the
// scanner's own.
func encoders() map[string]func(before, text, after string) string {
	b64 := func(e *base64.Encoding) func(string, string, string) string {
		return func(before, text, after string) string { return e.EncodeToString([]byte(before + text + after)) }
	}
	return map[string]func(before, text, after string) string{
		"text": func(before, text, after string) string { return before + text + after },
		"JSON": func(before, text, after string) string {
			quoted, err := json.Marshal(before + text + after)
			if err != nil {
				return err.Error()
			}
			return string(quoted)
		},
		"JSON without HTML": func(before, text, after string) string {
			var b strings.Builder
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(before + text + after); err != nil {
				return err.Error()
			}
			return b.String()
		},
		"Go":           func(before, text, after string) string { return fmt.Sprintf("%q", before+text+after) },
		"HTML":         func(before, text, after string) string { return html.EscapeString(before + text + after) },
		"query":        func(before, text, after string) string { return url.QueryEscape(before + text + after) },
		"path":         func(before, text, after string) string { return url.PathEscape(before + text + after) },
		"hexadecimal":  func(before, text, after string) string { return hex.EncodeToString([]byte(before + text + after)) },
		"HEXADECIMAL":  func(before, text, after string) string { return fmt.Sprintf("%X", before+text+after) },
		"base64":       b64(base64.StdEncoding),
		"base64 raw":   b64(base64.RawStdEncoding),
		"base64 URL":   b64(base64.URLEncoding),
		"base64 plain": b64(base64.RawURLEncoding),
	}
}

func compressors() map[string]func(io.Writer) (io.WriteCloser, error) {
	return map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"zlib": func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil },
		"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	}
}

// Wherever a secret stands and however it is written, it is found; the same
// content without it holds nothing.
func TestPlantedSecretIsFound(t *testing.T) {
	t.Parallel()
	scanner := newScanner(t)
	around := rapid.StringMatching(`[ -~]{0,40}`)
	for encoding, encode := range encoders() {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				before, after := around.Draw(rt, "before"), around.Draw(rt, "after")
				content := []byte(encode(before, secret, after))
				require.NotEmpty(rt, scanner.Scan(content), "%s", content)
				require.Empty(rt, scanner.Scan([]byte(encode(before, strings.Replace(secret, "K7", "k8", 1), after))))
			})
			for name, compress := range compressors() {
				content := []byte(encode("before ", secret, " after"))
				outer := pack(t, compress, append([]byte("before "), pack(t, compress, content)...))
				require.NotEmpty(t, scanner.Scan(append([]byte("before "), outer...)), "twice in %s", name)
			}
		})
	}
}

func pack(t *testing.T, compress func(io.Writer) (io.WriteCloser, error), content []byte) []byte {
	var packed bytes.Buffer
	w, err := compress(&packed)
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}

func TestFindingsSayWhatAndHow(t *testing.T) {
	t.Parallel()
	scanner := newScanner(t)
	require.Equal(t, []string{"canary as hexadecimal"}, scanner.Scan([]byte(hex.EncodeToString([]byte(secret)))))
	require.Empty(t, scanner.Scan([]byte("\x1f\x8b\x08 is no gzip, and x\x9c no zlib, \x28\xb5\x2f\xfd no zstd")))
	_, err := canary.New(map[string]string{"pin": "1234"})
	require.ErrorContains(t, err, "pin")
}

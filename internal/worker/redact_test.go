package worker

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestSecretsAreTakenOutOfTexts(t *testing.T) {
	t.Parallel()
	const one, two, short = `pass"word\+/ä`, "the-other-one", "abc"
	configuration, err := json.Marshal(map[string]any{"key": one, "nested": map[string]any{"list": []string{two}}, "pin": short, "region": "somewhere"})
	require.NoError(t, err)
	r := newRedactor([]integration.Field{{Name: "key", Secret: true}, {Name: "nested", Secret: true}, {Name: "pin", Secret: true}, {Name: "region"}}, configuration)
	quoted, err := json.Marshal(one)
	require.NoError(t, err)
	for _, form := range []string{
		one, two, string(quoted[1 : len(quoted)-1]), url.QueryEscape(one), url.PathEscape(one),
		base64.StdEncoding.EncodeToString([]byte(one)), base64.RawURLEncoding.EncodeToString([]byte(two)),
	} {
		require.Equal(t, "a [secret] b", r.text("a "+form+" b"))
	}
	require.Equal(t, "somewhere abc", r.text("somewhere abc"), "what is readable or too short stays")
	require.Equal(t, one, redactor{}.text(one))
	require.Equal(t, one, newRedactor(nil, configuration).text(one))

	var out bytes.Buffer
	log := slog.New(&redactingHandler{slog.NewTextHandler(&out, nil), r})
	log.With("with", two).WithGroup("group").Info("message "+two, "text", two, "error", fmt.Errorf("call: %w", errors.New(two)),
		"bytes", []byte(two), "raw", json.RawMessage(`"`+two+`"`), "struct", struct{ V *string }{new(string)}, slog.Group("deep", "v", two),
		"pointer", struct{ V any }{&struct{ W string }{two}}, "number", 7)
	require.NotContains(t, out.String(), two)
	require.Contains(t, out.String(), "group.number=7")
}

// smallEscapes writes percent escapes with small letters.
func smallEscapes(escaped string) string {
	return regexp.MustCompile(`%[0-9A-F]{2}`).ReplaceAllStringFunc(escaped, strings.ToLower)
}

// everyByte percent-encodes all, also what need not be.
func everyByte(s string) string {
	var all strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&all, "%%%02X", s[i])
	}
	return all.String()
}

// escapings are the ways in which a provider, a library or an SDK may repeat what
// it was sent.
func escapings() map[string]func(string) string {
	encode := func(e *base64.Encoding) func(string) string {
		return func(s string) string { return e.EncodeToString([]byte(s)) }
	}
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			return s
		}
		return string(text)
	}
	return map[string]func(string) string{
		"as it is":     func(s string) string { return s },
		"JSON":         quoted,
		"JSON in JSON": func(s string) string { return quoted(quoted(s)) },
		"Go":           strconv.Quote,
		"Go in ASCII":  strconv.QuoteToASCII,
		"query":        url.QueryEscape,
		"path":         url.PathEscape,
		"query, small": func(s string) string { return smallEscapes(url.QueryEscape(s)) },
		"every byte":   everyByte,
		"every second byte, small": func(s string) string {
			var all strings.Builder
			for i := range len(s) {
				if i%2 == 0 {
					fmt.Fprintf(&all, "%%%02x", s[i])
				} else {
					all.WriteString(url.QueryEscape(s[i : i+1]))
				}
			}
			return all.String()
		},
		"user information": func(s string) string {
			return (&url.URL{Scheme: "https", Host: "h", User: url.UserPassword("ada", s)}).String()
		},
		"HTML":               html.EscapeString,
		"hex":                func(s string) string { return hex.EncodeToString([]byte(s)) },
		"capital hex":        func(s string) string { return fmt.Sprintf("%X", s) },
		"base64":             encode(base64.StdEncoding),
		"base64, unpadded":   encode(base64.RawStdEncoding),
		"base64 of URLs":     encode(base64.URLEncoding),
		"basic":              func(s string) string { return encode(base64.StdEncoding)("ada:" + s) },
		"basic, another":     func(s string) string { return encode(base64.StdEncoding)("adam:" + s + "!") },
		"basic, a third one": func(s string) string { return encode(base64.RawURLEncoding)("ada.l:" + s + "!!") },
	}
}

// Whatever the secret is, random or a word, and however it is repeated, what is
// stored as the connection's last error has neither it nor anything that a
// terminal would act on, and can be read otherwise.
func TestNoMessageHoldsASecretInAnyEscaping(t *testing.T) {
	t.Parallel()
	ways := escapings()
	names := slices.Sorted(maps.Keys(ways))
	rapid.Check(t, func(t *rapid.T) {
		const canary = "canary7"
		secret := canary + rapid.OneOf(rapid.StringMatching(`[ -~]{1,40}`), rapid.StringN(1, 30, -1)).Draw(t, "secret") + canary
		configuration, err := json.Marshal(map[string]any{"key": secret})
		require.NoError(t, err)
		e := &execution{redact: newRedactor([]integration.Field{{Name: "key", Secret: true}}, configuration)}
		way := rapid.SampledFrom(names).Draw(t, "escaping")
		// By itself, without what removes all that looks random: beside what the
		// escaping adds, no more is left than shares a letter of the encoding.
		left := strings.ReplaceAll(e.redact.text(ways[way](secret)), "[secret]", "")
		require.LessOrEqual(t, len(left), len(ways[way](""))+8, "%s of %q left %q", way, secret, left)
		before := rapid.SampledFrom([]string{"", "refused ", "\x1b[31mrefused\r\n", "a\u202eb ", "key=", "<Message>", `{"error":"`, "https://h/p?k="}).Draw(t, "before")
		behind := rapid.SampledFrom([]string{"", " was refused", "\x07", "</Message>", `"}`, "\u2028next"}).Draw(t, "behind")
		failure := &connector.Error{Category: connector.Internal, Message: before + ways[way](secret) + behind, Permission: ways[way](secret), On: ways[way](secret)}
		message := run.SafeMessage(e.safe(failure))
		for _, form := range append(formsOf(secret), url.QueryEscape(secret), url.PathEscape(secret)) {
			require.NotContains(t, message, form)
		}
		for _, part := range []string{canary, hex.EncodeToString([]byte(canary)), base64.RawStdEncoding.EncodeToString([]byte(canary))[:9]} {
			require.NotContains(t, strings.ToLower(message), strings.ToLower(part), "of %q", secret)
		}
		for _, r := range message {
			require.False(t, unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp), "%q", message)
		}
	})
}

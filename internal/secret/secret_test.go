package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

const canary = "canary-3kq9ZbX7"

// requireNoCanary fails where text holds the canary plainly or in a form that
// formatters and encoders give bytes.
func requireNoCanary(t *testing.T, text string) {
	t.Helper()
	decimal := strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]")
	forms := []string{
		canary,
		hex.EncodeToString([]byte(canary)),
		base64.StdEncoding.EncodeToString([]byte(canary)),
		decimal,
		strings.ReplaceAll(decimal, " ", ","),
		strings.Trim(fmt.Sprintf("% x", canary), " "),
		"0x63, 0x61, 0x6e",
		"63616e61",
	}
	for _, form := range forms {
		require.NotContains(t, strings.ToLower(text), strings.ToLower(form))
	}
}

// Every way in which a struct may hold a secret, exported and not: fmt calls no
// methods on what it reaches through an unexported field.
type holder struct {
	Exported   secret.Secret
	unexported secret.Secret
	pointer    *secret.Secret
	slice      []secret.Secret
	byName     map[string]secret.Secret
	any        any
	nested     struct{ deep secret.Secret }
}

func newHolder() holder {
	value := secret.FromString(canary)
	bytesValue := secret.FromBytes([]byte(canary))
	h := holder{
		Exported:   value,
		unexported: bytesValue,
		pointer:    &value,
		slice:      []secret.Secret{value},
		byName:     map[string]secret.Secret{"password": bytesValue},
		any:        value,
	}
	h.nested.deep = bytesValue
	return h
}

func TestNoVerbPrintsTheValue(t *testing.T) {
	t.Parallel()
	h := newHolder()
	values := []any{h, &h, h.Exported, h.pointer, h.slice, h.byName, h.unexported, []any{h}, errors.Join(fmt.Errorf("%v", h.Exported))}
	for verb := rune('!'); verb <= '~'; verb++ {
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "20", ".3", "+#20.30"} {
			format := "%" + flags + string(verb)
			for _, value := range values {
				requireNoCanary(t, fmt.Sprintf(format, value))
			}
		}
	}
}

func TestFormattersPrintThePlaceholder(t *testing.T) {
	t.Parallel()
	value := secret.FromString(canary)
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%50s", "%.2s"} {
		require.Equal(t, secret.Placeholder, fmt.Sprintf(verb, value), verb)
	}
	require.Equal(t, secret.Placeholder, value.String())
	require.Equal(t, secret.Placeholder, value.GoString())
	require.Equal(t, secret.Placeholder, fmt.Sprint(secret.Secret{}))
}

func TestEncodersPrintThePlaceholder(t *testing.T) {
	t.Parallel()
	h := newHolder()
	asJSON, err := json.Marshal(h)
	require.NoError(t, err)
	require.JSONEq(t, `{"Exported":"[secret]"}`, string(asJSON))
	asJSON, err = json.Marshal(map[string]any{"p": h.pointer, "s": h.slice, "m": h.byName})
	require.NoError(t, err)
	require.JSONEq(t, `{"p":"[secret]","s":["[secret]"],"m":{"password":"[secret]"}}`, string(asJSON))
	asXML, err := xml.Marshal(h.Exported)
	require.NoError(t, err)
	require.Contains(t, string(asXML), secret.Placeholder)
	requireNoCanary(t, string(asXML))
	text, err := h.Exported.MarshalText()
	require.NoError(t, err)
	require.Equal(t, secret.Placeholder, string(text))

	var stream bytes.Buffer
	require.Error(t, gob.NewEncoder(&stream).Encode(h), "gob has no text form to fall back on")
	requireNoCanary(t, stream.String())
}

func TestLogsShowThePlaceholder(t *testing.T) {
	t.Parallel()
	h := newHolder()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		log := slog.New(handler).With("held", h.Exported)
		log.Info("message", "secret", h.Exported, "holder", h, "pointer", &h, slog.Group("g", "deep", h.slice))
	}
	require.Contains(t, out.String(), secret.Placeholder)
	requireNoCanary(t, out.String())
}

// failureText collects what a failing assertion would print.
type failureText struct{ strings.Builder }

func (f *failureText) Errorf(format string, args ...any) { fmt.Fprintf(f, format, args...) }

func TestDumpersThatBypassMethodsSeeNothing(t *testing.T) {
	t.Parallel()
	h := newHolder()
	// testify prints both sides of a failed comparison by reflection and
	// unsafe access, calling no method of the value.
	var failure failureText
	require.False(t, assert.Equal(&failure, holder{}, h))
	require.Contains(t, failure.String(), "unexported")
	requireNoCanary(t, failure.String())
	requireNoCanary(t, cmp.Diff(h.Exported, secret.FromString("other")))
}

func TestRevealGivesTheValueBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOf(rapid.Byte()).Draw(t, "value")
		fromBytes, fromString := secret.FromBytes(value), secret.FromString(string(value))
		require.Equal(t, string(value), string(fromBytes.Reveal()))
		require.Equal(t, string(value), fromString.RevealString())
		require.True(t, fromBytes.Equal(fromString))
		require.Equal(t, len(value) == 0, fromBytes.IsZero())
		require.Equal(t, len(value) == 0, fromString.IsZero())
	})
}

func TestSecretKeepsItsOwnCopy(t *testing.T) {
	t.Parallel()
	given := []byte(canary)
	value := secret.FromBytes(given)
	clear(given)
	clear(value.Reveal())
	require.Equal(t, canary, value.RevealString())
}

func TestEqual(t *testing.T) {
	t.Parallel()
	value := secret.FromString(canary)
	require.True(t, value.Equal(secret.FromString(canary)))
	require.False(t, value.Equal(secret.FromString(canary+"x")))
	require.False(t, value.Equal(secret.FromString("x"+canary[1:])))
	require.False(t, value.Equal(secret.Secret{}))
	require.True(t, secret.Secret{}.Equal(secret.FromString("")))
}

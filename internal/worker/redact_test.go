package worker

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/integration"
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

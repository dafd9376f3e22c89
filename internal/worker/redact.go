package worker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// redactor takes the secrets of one configuration out of texts. The zero value
// knows none.
type redactor struct {
	values   []string
	replacer *strings.Replacer
	// learned are secrets that the run is given later; nil when there are none.
	learned *learned
}

// minSecretBytes keeps values that are too short to be secrets, and would
// mutilate every text, from being looked for.
const minSecretBytes = 6

// newRedactor looks for the strings in the secret fields of a configuration, as
// they are and in the forms that requests carry them in.
func newRedactor(fields []integration.Field, configuration json.RawMessage) redactor {
	var values map[string]any
	if json.Unmarshal(configuration, &values) != nil {
		return redactor{}
	}
	var secrets []string
	for _, f := range fields {
		if f.Secret {
			secrets = appendSecrets(secrets, values[f.Name])
		}
	}
	return redactorOf(secrets)
}

func redactorOf(secrets []string) redactor {
	if len(secrets) == 0 {
		return redactor{}
	}
	var forms []string
	for _, s := range secrets {
		forms = append(forms, formsOf(s)...)
	}
	var pairs []string
	for _, f := range longestFirst(forms) {
		pairs = append(pairs, f, secret.Placeholder)
	}
	return redactor{values: longestFirst(secrets), replacer: strings.NewReplacer(pairs...)}
}

// longestFirst sorts and removes what is there twice: what contains another one
// has to be looked for first.
func longestFirst(texts []string) []string {
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(texts)
}

func appendSecrets(secrets []string, value any) []string {
	switch v := value.(type) {
	case string:
		if len(v) >= minSecretBytes {
			secrets = append(secrets, v)
		}
	case []any:
		for _, element := range v {
			secrets = appendSecrets(secrets, element)
		}
	case map[string]any:
		for _, element := range v {
			secrets = appendSecrets(secrets, element)
		}
	}
	return secrets
}

func (r redactor) text(s string) string {
	s = r.learned.text(s)
	if r.replacer == nil {
		return s
	}
	for _, v := range r.values {
		s = withoutEscaped(s, v)
	}
	return r.replacer.Replace(s)
}

// redactingHandler takes secrets out of log records before they are written.
type redactingHandler struct {
	next   slog.Handler
	redact redactor
}

func (h *redactingHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.next.Enabled(ctx, l)
}

func (h *redactingHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.redact.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.redact.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h *redactingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.redact.attr(a)
	}
	return &redactingHandler{h.next.WithAttrs(clean), h.redact}
}

func (h *redactingHandler) WithGroup(name string) slog.Handler {
	return &redactingHandler{h.next.WithGroup(name), h.redact}
}

func (r redactor) attr(a slog.Attr) slog.Attr { return slog.Attr{Key: a.Key, Value: r.value(a.Value)} }

// value keeps values that hold no secret as they are, so that a handler may
// format them as it likes.
func (r redactor) value(v slog.Value) slog.Value {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.StringValue(r.text(v.String()))
	case slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i, a := range group {
			clean[i] = r.attr(a)
		}
		return slog.GroupValue(clean...)
	case slog.KindAny:
		shown := fmt.Sprintf("%+v", v.Any())
		switch raw := v.Any().(type) {
		case []byte:
			shown = string(raw)
		case json.RawMessage:
			shown = string(raw)
		default:
			if encoded, err := json.Marshal(raw); err == nil {
				shown += string(encoded)
			}
		}
		if clean := r.text(shown); clean != shown {
			return slog.StringValue(clean)
		}
	}
	return v
}

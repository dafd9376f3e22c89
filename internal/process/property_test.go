package process

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
)

// drawText draws texts, now and then ones that the contract or JSON do not take.
func drawText(most int) *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(1, most, most), rapid.SampledFrom([]string{"<&>", "\u2028", "a\x00b", "", "😀", `"\`, "\n"}))
}

// drawObject draws JSON objects.
func drawObject() *rapid.Generator[json.RawMessage] {
	return rapid.Map(rapid.SampledFrom([]string{
		``, `{}`, `{"a":1e3}`, `{"a":12345678901234567890.5}`, `{"a":{"b":[null,true,"<>"]}}`, `{"é":"\u00e9"}`, `{"a":1,"a":2}`, `{"a":1e401}`,
	}), func(s string) json.RawMessage { return json.RawMessage(s) })
}

func drawError() *rapid.Generator[wire.ErrorBody] {
	return rapid.Custom(func(t *rapid.T) wire.ErrorBody {
		return wire.ErrorBody{
			Category: rapid.SampledFrom(connector.Categories()).Draw(t, "category"), Message: rapid.StringN(1, 20, 60).Draw(t, "message"),
			Permission: rapid.StringN(0, 5, 20).Draw(t, "permission"), On: rapid.StringN(0, 5, 20).Draw(t, "on"),
			RetryAfterSeconds: time.Duration(rapid.Int64Range(0, int64(40*24*time.Hour)).Draw(t, "wait")).Seconds(),
		}
	})
}

func drawPage(number int) *rapid.Generator[wire.PageBody] {
	ref := rapid.Custom(func(t *rapid.T) connector.Ref {
		return connector.Ref{Kind: rapid.SampledFrom(append(connector.EntityKinds(), "Else")).Draw(t, "kind"), ID: drawText(10).Draw(t, "id")}
	})
	return rapid.Custom(func(t *rapid.T) wire.PageBody {
		page := wire.PageBody{Gaps: rapid.SliceOfN(drawError(), 0, 2).Draw(t, "gaps"), Next: connector.Cursor(fmt.Sprint(number + 1))}
		for range rapid.IntRange(0, 3).Draw(t, "entities") {
			page.Entities = append(page.Entities, connector.Entity{
				Ref: ref.Draw(t, "entity"), Name: drawText(8).Draw(t, "name"), Attributes: drawObject().Draw(t, "attributes"),
				Identifiers: []connector.Identifier{{Type: connector.Email, Value: "a@example.com", Unverified: rapid.Bool().Draw(t, "unverified")}},
			})
		}
		for range rapid.IntRange(0, 2).Draw(t, "relationships") {
			at := time.Unix(rapid.Int64Range(0, 1e10).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanosecond"))
			page.Relationships = append(page.Relationships, connector.Relationship{
				Kind: rapid.SampledFrom(connector.RelationshipKinds()).Draw(t, "kind"), From: ref.Draw(t, "from"), To: ref.Draw(t, "to"),
				Terms: &connector.Terms{Effect: connector.Deny, Actions: []string{drawText(5).Draw(t, "action")}, ExpiresAt: &at, Conditions: drawObject().Draw(t, "conditions")},
			})
		}
		return page
	})
}

// TestAnyPagesAreTheSameThroughAProcess reads any pages, right and wrong, from any
// cursor, with any end, inside and through a process.
func TestAnyPagesAreTheSameThroughAProcess(t *testing.T) {
	t.Parallel()
	settings := connector.Settings{Configuration: json.RawMessage(`{}`), Budget: connector.Unlimited{}}
	inside, err := shelf{}.Open(t.Context(), settings)
	require.NoError(t, err)
	outside, err := ownProgram(t, "shelf").Open(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Zero(t, outside.(*session).Restarts())
		require.NoError(t, outside.Close())
	})
	rapid.Check(t, func(rt *rapid.T) {
		s := script{Takes: rapid.IntRange(0, 2).Draw(rt, "takes")}
		for n := range rapid.IntRange(0, 4).Draw(rt, "pages") {
			s.Pages = append(s.Pages, drawPage(n).Draw(rt, "page"))
		}
		if rapid.Bool().Draw(rt, "fails") {
			ending := drawError().Draw(rt, "ending")
			s.Ending = &ending
		}
		raw, err := json.Marshal(s)
		require.NoError(rt, err)
		from := connector.Cursor(fmt.Sprint(rapid.IntRange(0, 4).Draw(rt, "from")))
		want, got := &collector{}, &collector{}
		if rapid.Bool().Draw(rt, "refused") {
			want.refuse, want.err = rapid.IntRange(0, 3).Draw(rt, "after"), io.ErrClosedPipe
			got.refuse, got.err = want.refuse, want.err
		}
		p := connector.Partition{Stream: "books", Key: string(raw)}
		for range 2 {
			wantErr := inside.Read(t.Context(), p, from, want)
			gotErr := outside.Read(t.Context(), p, from, got)
			require.Equal(rt, wantErr, gotErr)
			require.Equal(rt, jsonOf(rt, want.pages), jsonOf(rt, got.pages))
		}
	})
}

package workerapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

func encode(t require.TestingT, h workerapi.Header, p *connector.Page) []byte {
	e, err := workerapi.NewEncoder()
	require.NoError(t, err)
	sent, err := e.Encode(h, p)
	require.NoError(t, err)
	return sent
}

func decode(t require.TestingT, sent []byte) (workerapi.Header, *connector.Page, error) {
	d, err := workerapi.NewDecoder()
	require.NoError(t, err)
	return d.Decode(sent)
}

// compress returns lines as a batch that no encoder of ours would write.
func compress(t require.TestingT, lines ...string) []byte {
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer z.Close()
	return z.EncodeAll([]byte(strings.Join(lines, "\n")), nil)
}

func anyFailure(t *rapid.T) connector.Error {
	return connector.Error{
		Category: rapid.SampledFrom(connector.Categories()).Draw(t, "category"), Message: rapid.String().Draw(t, "message"),
		Permission: rapid.String().Draw(t, "permission"), On: rapid.String().Draw(t, "on"),
		RetryAfter: time.Duration(rapid.IntRange(0, 3600).Draw(t, "retry after")) * time.Second,
	}
}

func anyObject(t *rapid.T) json.RawMessage {
	object := rapid.MapOf(rapid.String(), rapid.OneOf(rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny())).Draw(t, "object")
	if len(object) == 0 {
		return nil
	}
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	return raw
}

func anyRef(t *rapid.T) connector.Ref {
	return connector.Ref{Kind: rapid.SampledFrom(connector.EntityKinds()).Draw(t, "kind"), ID: rapid.String().Draw(t, "id")}
}

func anyEntity(t *rapid.T) connector.Entity {
	e := connector.Entity{Ref: anyRef(t), Name: rapid.String().Draw(t, "name"), Type: rapid.String().Draw(t, "type"), Attributes: anyObject(t)}
	for range rapid.IntRange(0, 2).Draw(t, "identifiers") {
		e.Identifiers = append(e.Identifiers, connector.Identifier{Type: connector.Email, Value: rapid.String().Draw(t, "value"), Unverified: rapid.Bool().Draw(t, "unverified")})
	}
	return e
}

func anyRelationship(t *rapid.T) connector.Relationship {
	r := connector.Relationship{
		Kind: rapid.SampledFrom(connector.RelationshipKinds()).Draw(t, "kind"), From: anyRef(t), To: anyRef(t),
		Key: rapid.String().Draw(t, "key"), Attributes: anyObject(t),
	}
	if rapid.Bool().Draw(t, "terms") {
		r.Terms = &connector.Terms{
			Effect: connector.Deny, Actions: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "actions"),
			NotActions: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "not actions"), Conditions: anyObject(t), Given: connector.Eligible,
		}
		if rapid.Bool().Draw(t, "expires") {
			at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "expires at"), 0).UTC()
			r.Terms.ExpiresAt = &at
		}
	}
	return r
}

// sameJSON compares objects by what they say, and none with none.
func sameJSON() cmp.Option {
	both := func(a, b json.RawMessage) bool { return len(a) > 0 && len(b) > 0 }
	return cmp.Options{cmpopts.EquateEmpty(), cmp.FilterValues(both, cmp.Transformer("object", func(raw json.RawMessage) any {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return err.Error()
		}
		return v
	}))}
}

func TestBatchesArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := workerapi.Header{
			Stream: rapid.String().Draw(t, "stream"), Partition: rapid.String().Draw(t, "partition"), Next: connector.Cursor(rapid.String().Draw(t, "next")),
			End: rapid.SampledFrom([]connector.Coverage{"", connector.Complete, connector.Partial, connector.Skipped}).Draw(t, "end"),
		}
		if rapid.Bool().Draw(t, "failed") {
			failure := anyFailure(t)
			h.Failure = workerapi.NewFailure(&failure)
		}
		page := &connector.Page{
			Entities:      rapid.SliceOfN(rapid.Custom(anyEntity), 0, 5).Draw(t, "entities"),
			Relationships: rapid.SliceOfN(rapid.Custom(anyRelationship), 0, 5).Draw(t, "relationships"),
			Gaps:          rapid.SliceOfN(rapid.Custom(anyFailure), 0, 2).Draw(t, "gaps"),
			Next:          h.Next,
		}
		gotHeader, gotPage, err := decode(t, encode(t, h, page))
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(h, gotHeader))
		require.Empty(t, cmp.Diff(page, gotPage, sameJSON()))
	})
}

func TestSamePageGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	page := func(attributes string) *connector.Page {
		return &connector.Page{Entities: []connector.Entity{{Ref: connector.Ref{Kind: connector.Account, ID: "a"}, Attributes: json.RawMessage(attributes)}}}
	}
	h := workerapi.Header{Stream: "users"}
	e, err := workerapi.NewEncoder()
	require.NoError(t, err)
	one, err := e.Encode(h, page(`{"b": 1.50, "a": {"y":[1, 2],"x":null}}`))
	require.NoError(t, err)
	_, err = e.Encode(h, page(`{"another":"page in between"}`))
	require.NoError(t, err)
	two, err := e.Encode(h, page(`{"a":{"x":null,"y":[1,2]},"b":1.50}`))
	require.NoError(t, err)
	require.Equal(t, one, two)
	require.Equal(t, one, encode(t, h, page(`{"a":{"x":null,"y":[1,2]},"b":1.50}`)), "nothing depends on what an encoder has seen before")
	_, got, err := decode(t, one)
	require.NoError(t, err)
	require.Equal(t, `{"a":{"x":null,"y":[1,2]},"b":1.50}`, string(got.Entities[0].Attributes), "numbers stay as they were written")
}

func TestEncoderRefusesWhatTheProtocolForbids(t *testing.T) {
	t.Parallel()
	entity := func(attributes string) connector.Entity {
		return connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: "a"}, Attributes: json.RawMessage(attributes)}
	}
	action := strings.Repeat("a", connector.MaxNameBytes)
	actions := make([]string, 0, connector.MaxActions)
	for i := range connector.MaxActions {
		actions = append(actions, fmt.Sprintf("%s%d", action[:1000], i))
	}
	for name, c := range map[string]struct {
		page connector.Page
		want string
	}{
		"a name twice":   {connector.Page{Entities: []connector.Entity{entity(`{}`), entity(`{"secret":1,"secret":2}`)}}, "entity 1"},
		"broken JSON":    {connector.Page{Relationships: []connector.Relationship{{Attributes: json.RawMessage(`{`)}}}, "relationship 0"},
		"broken UTF-8":   {connector.Page{Entities: []connector.Entity{{Name: "\xff"}}}, "entity 0"},
		"a long line":    {connector.Page{Relationships: []connector.Relationship{{Terms: &connector.Terms{Actions: actions}}}}, "too large"},
		"too many gaps":  {connector.Page{Gaps: make([]connector.Error, 2*workerapi.MaxBatchPages*connector.MaxPageRecords+1)}, "too large"},
		"bad conditions": {connector.Page{Relationships: []connector.Relationship{{Terms: &connector.Terms{Conditions: json.RawMessage(`nope`)}}}}, "relationship 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := workerapi.NewEncoder()
			require.NoError(t, err)
			_, err = e.Encode(workerapi.Header{Stream: "s"}, &c.page)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret")
			sent, err := e.Encode(workerapi.Header{Stream: "s"}, &connector.Page{Entities: []connector.Entity{entity(`{}`)}})
			require.NoError(t, err, "the encoder goes on after a page it refused")
			_, page, err := decode(t, sent)
			require.NoError(t, err)
			require.Len(t, page.Entities, 1)
		})
	}
}

func TestDecoderRefusesWhatTheProtocolForbids(t *testing.T) {
	t.Parallel()
	const header, entity = `{"stream":"s","entities":1}`, `{"kind":"Account","id":"a"}`
	many := []string{fmt.Sprintf(`{"stream":"s","entities":%d}`, workerapi.MaxBatchPages*connector.MaxPageRecords+1)}
	for range workerapi.MaxBatchPages*connector.MaxPageRecords + 1 {
		many = append(many, entity)
	}
	for name, c := range map[string]struct {
		sent []byte
		want string
	}{
		"nothing":             {nil, "header"},
		"not compressed":      {[]byte(header), "magic"},
		"an empty frame":      {compress(t), "header"},
		"cut short":           {compress(t, header, entity)[:20], "decompress"},
		"an unknown field":    {compress(t, `{"stream":"s","canary":1}`), "header"},
		"an unknown member":   {compress(t, header, `{"kind":"Account","id":"a","canary":{}}`), "line 2"},
		"no record":           {compress(t, header), "0 lines"},
		"one record less":     {compress(t, `{"stream":"s","entities":1,"gaps":1}`, entity), "1 lines"},
		"one record more":     {compress(t, header, entity, entity), "more lines"},
		"another record":      {compress(t, header, `{"category":"internal","message":""}`), "line 2"},
		"fewer than none":     {compress(t, `{"stream":"s","entities":-1}`), "too large"},
		"sums that overflow":  {compress(t, `{"stream":"s","entities":9223372036854775807,"gaps":9223372036854775807}`), "too large"},
		"a wrong type":        {compress(t, header, `{"kind":"Account","id":{"canary":1}}`), "line 2"},
		"broken JSON":         {compress(t, `{"stream":"s","entities":2}`, entity, `{"kind":canary`), "line 3"},
		"a name twice":        {compress(t, header, `{"kind":"Account","id":"a","id":"canary"}`), "line 2"},
		"too many records":    {compress(t, many...), "too large"},
		"too many lines":      {compress(t, fmt.Sprintf(`{"stream":"s","gaps":%d}`, 2*workerapi.MaxBatchPages*connector.MaxPageRecords+1)), "too large"},
		"a long line":         {compress(t, header, `{"kind":"Account","id":"`+strings.Repeat("a", workerapi.MaxLineBytes)+`"}`), "too large"},
		"more than is held":   {compress(t, header, strings.Repeat(" ", workerapi.MaxBatchPlainBytes)), "too large"},
		"an array":            {compress(t, header, `[]`), "line 2"},
		"something after all": {append(compress(t, header, entity), "canary"...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, page, err := decode(t, c.sent)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, page)
			require.NotContains(t, err.Error(), "canary\"", "a value is never repeated")
		})
	}
}

func FuzzDecodeBatch(f *testing.F) {
	page := &connector.Page{
		Entities: []connector.Entity{{Ref: connector.Ref{Kind: connector.Account, ID: "a"}, Attributes: json.RawMessage(`{"a":[1,{"b":null}]}`)}},
		Gaps:     []connector.Error{{Category: connector.PermissionDenied, Message: "m"}},
		Next:     "n",
	}
	f.Add(encode(f, workerapi.Header{Stream: "s", Next: "n"}, page))
	f.Add(compress(f, `{"stream":"s","end":"complete"}`))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		h, page, err := decode(t, sent)
		if err != nil {
			require.Nil(t, page)
			return
		}
		require.LessOrEqual(t, len(page.Entities)+len(page.Relationships)+len(page.Gaps), 2*workerapi.MaxBatchPages*connector.MaxPageRecords)
		require.Equal(t, h.Next, page.Next)
		e, err := workerapi.NewEncoder()
		require.NoError(t, err)
		again, err := e.Encode(h, page)
		if err != nil {
			return // attributes of another form are the receiver's to refuse
		}
		_, same, err := decode(t, again)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(page, same, sameJSON()))
	})
}

package workerapi

import (
	"bytes"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
)

// somewhatOdd are texts of which most need no escapes.
func somewhatOdd() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[a-z:/*]{0,8}`), rapid.StringMatching(`[a-z "\\<é😀\x01]{0,6}`))
}

// anyValue is a JSON value, often in canonical form and sometimes not.
func anyValue(t *rapid.T, depth int) []byte {
	most := 7
	if depth == 0 {
		most = 5
	}
	space := rapid.SampledFrom([]string{"", "", "", "", " "})
	switch rapid.IntRange(0, most).Draw(t, "what") {
	case 0:
		return []byte("null")
	case 1:
		return []byte("true")
	case 2:
		return []byte("false")
	case 3:
		return []byte(rapid.SampledFrom([]string{"0", "-0", "12", "1.50", "1e9", "-2.5E-3", "1e+2"}).Draw(t, "number"))
	case 4, 5:
		raw, err := jsontext.AppendQuote(nil, somewhatOdd().Draw(t, "text"))
		require.NoError(t, err)
		return raw
	case 6:
		raw := []byte("[")
		for i := range rapid.IntRange(0, 3).Draw(t, "values") {
			if i > 0 {
				raw = append(raw, ',')
			}
			raw = append(append(raw, space.Draw(t, "space")...), anyValue(t, depth-1)...)
		}
		return append(raw, ']')
	}
	return anyObject(t, depth-1)
}

func anyObject(t *rapid.T, depth int) []byte {
	raw := []byte("{")
	for i, name := range rapid.SliceOfNDistinct(somewhatOdd(), 0, 3, rapid.ID).Draw(t, "names") {
		if i > 0 {
			raw = append(raw, ',')
		}
		quoted, err := jsontext.AppendQuote(nil, name)
		require.NoError(t, err)
		raw = append(append(append(raw, quoted...), ':'), anyValue(t, depth)...)
	}
	return append(raw, '}')
}

func anyEnd(t *rapid.T) connector.Ref {
	return connector.Ref{Kind: rapid.SampledFrom(connector.EntityKinds()).Draw(t, "kind"), ID: somewhatOdd().Draw(t, "id")}
}

func anyNode(t *rapid.T) connector.Entity {
	e := connector.Entity{Ref: anyEnd(t), Name: somewhatOdd().Draw(t, "name"), Type: somewhatOdd().Draw(t, "type")}
	for range rapid.IntRange(0, 2).Draw(t, "identifiers") {
		e.Identifiers = append(e.Identifiers, connector.Identifier{Type: connector.Email, Value: somewhatOdd().Draw(t, "value"), Unverified: rapid.Bool().Draw(t, "unverified")})
	}
	if rapid.Bool().Draw(t, "attributes") {
		e.Attributes = anyObject(t, 3)
	}
	return e
}

func anyEdge(t *rapid.T) connector.Relationship {
	r := connector.Relationship{
		Kind: rapid.SampledFrom(connector.RelationshipKinds()).Draw(t, "kind"), From: anyEnd(t), To: anyEnd(t), Key: somewhatOdd().Draw(t, "key"),
	}
	if rapid.Bool().Draw(t, "attributes") {
		r.Attributes = anyObject(t, 3)
	}
	if rapid.Bool().Draw(t, "terms") {
		r.Terms = &connector.Terms{
			Effect: rapid.SampledFrom([]connector.Effect{"", connector.Allow, connector.Deny}).Draw(t, "effect"),
			Given:  rapid.SampledFrom([]connector.Given{"", connector.Eligible}).Draw(t, "given"),
		}
		r.Terms.Actions = rapid.SliceOfN(somewhatOdd(), 0, 3).Draw(t, "actions")
		r.Terms.NotActions = rapid.SliceOfN(somewhatOdd(), 0, 2).Draw(t, "not actions")
		if rapid.Bool().Draw(t, "conditions") {
			r.Terms.Conditions = anyObject(t, 2)
		}
		if rapid.IntRange(0, 3).Draw(t, "expires") == 0 {
			at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "at"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds"))
			r.Terms.ExpiresAt = &at
		}
	}
	return r
}

// general puts a raw value into canonical form by the general encoder alone.
func general(t require.TestingT, raw []byte) jsontext.Value {
	if len(raw) == 0 {
		return nil
	}
	v := jsontext.Value(raw).Clone()
	require.NoError(t, v.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false)))
	return v
}

func generalEntity(t require.TestingT, e *connector.Entity) []byte {
	raw, err := json.Marshal(&entityLine{Kind: e.Kind, ID: e.ID, Name: e.Name, Type: e.Type, Identifiers: e.Identifiers, Attributes: general(t, e.Attributes)})
	require.NoError(t, err)
	return raw
}

func generalRelationship(t require.TestingT, r *connector.Relationship) []byte {
	l := relationshipLine{Kind: r.Kind, From: r.From, To: r.To, Key: r.Key, Attributes: general(t, r.Attributes)}
	if terms := r.Terms; terms != nil {
		l.Terms = &termsLine{terms.Effect, terms.Actions, terms.NotActions, general(t, terms.Conditions), terms.Given, terms.ExpiresAt}
	}
	raw, err := json.Marshal(&l)
	require.NoError(t, err)
	return raw
}

func TestLinesAreThoseOfTheGeneralEncoder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, r := anyNode(t), anyEdge(t)
		line, err := appendEntity(nil, &e)
		require.NoError(t, err)
		require.Equal(t, string(generalEntity(t, &e)), string(line))
		line, err = appendRelationship(nil, &r)
		require.NoError(t, err)
		require.Equal(t, string(generalRelationship(t, &r)), string(line))
	})
}

// requireAgreement holds the quick reader to the general one: what it takes is
// what the general one reads, and it takes nothing that the other refuses.
func requireAgreement(t require.TestingT, line []byte) (taken bool) {
	reader := lineReader{plain: line, text: string(line)}
	var e, wantEntity connector.Entity
	if reader.entity(0, len(line), &e) {
		taken = true
		require.NoError(t, readEntity(line, &wantEntity), "%q", line)
		require.Empty(t, cmp.Diff(wantEntity, e, cmpopts.EquateEmpty()))
	}
	var r, wantRelationship connector.Relationship
	if reader.relationship(0, len(line), &r) {
		taken = true
		require.NoError(t, readRelationship(line, &wantRelationship), "%q", line)
		require.Empty(t, cmp.Diff(wantRelationship, r, cmpopts.EquateEmpty()))
	}
	return taken
}

func TestQuickReaderAgreesWithTheGeneralOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, r := anyNode(t), anyEdge(t)
		line, err := appendEntity(nil, &e)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "relationship") {
			line, err = appendRelationship(nil, &r)
			require.NoError(t, err)
		}
		require.Equal(t, !bytes.Contains(line, []byte(`\`)) && !bytes.Contains(line, []byte(`"expires_at"`)) && !namesBeyondASCII(line), requireAgreement(t, line),
			"what the encoder writes is read quickly, unless it has escapes, other names than of ASCII, or expires: %s", line)
		// And lines that nobody should send.
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				line[at] = rapid.SampledFrom([]byte(`{}[]",:\ 0-.etn`)).Draw(t, "to")
			case 1:
				line = append(line[:at:at], line[at+1:]...)
			default:
				line = append(line[:at:at], line[max(0, at-5):]...)
			}
			if len(line) == 0 {
				return
			}
		}
		if utf8.Valid(line) { // a batch that is not is refused before it is cut
			requireAgreement(t, line)
		}
	})
}

// namesBeyondASCII reports whether an object in a line has such a name.
func namesBeyondASCII(line []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		kind, length := d.StackIndex(d.StackDepth())
		if kind == '{' && length%2 == 1 && token.Kind() == '"' && !isASCII([]byte(token.String())) {
			return true
		}
	}
}

func FuzzQuickReader(f *testing.F) {
	f.Add([]byte(`{"kind":"Account","id":"a","name":"n","identifiers":[{"type":"email","value":"v"}],"attributes":{"a":[1,{"b":null}]}}`))
	f.Add([]byte(`{"kind":"boundary_contains","from":{"kind":"Account","id":"a"},"to":{"kind":"Account","id":"b"},"key":"k","terms":{"effect":"deny","actions":["a","b"]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsRune(line, '\n') || !utf8.Valid(line) {
			return // the batch is cut and checked before
		}
		requireAgreement(t, line)
	})
}

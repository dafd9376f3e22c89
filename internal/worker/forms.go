package worker

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"slices"
	"strconv"
	"strings"
)

// minFormBytes keeps pieces of encodings that are so short that they occur by
// chance from being looked for.
const minFormBytes = 6

// formsOf returns a secret as it is and in the forms that requests, answers and
// the errors about them carry it in; but for percent-encoding, of which there are
// too many kinds: see [withoutEscaped].
func formsOf(v string) []string {
	forms := []string{
		v, hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v))), html.EscapeString(v),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(v),
		inner(strconv.Quote(v)), inner(strconv.QuoteToASCII(v)),
	}
	for _, escapeHTML := range []bool{true, false} {
		once := jsonEscaped(v, escapeHTML)
		// Answers that are quoted in messages hold JSON in a string of JSON.
		forms = append(forms, once, jsonEscaped(once, escapeHTML))
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(v)))
	}
	forms = append(forms, base64Within(v, base64.RawStdEncoding)...)
	forms = append(forms, base64Within(v, base64.RawURLEncoding)...)
	return slices.DeleteFunc(forms, func(f string) bool { return len(f) < minFormBytes })
}

// base64Within returns what does not depend on its surroundings of a text that is
// encoded as a part of a longer one, such as user:password, for each of the three
// places within a group of three bytes at which it can begin.
func base64Within(v string, encoding *base64.Encoding) (pieces []string) {
	for before := range 3 {
		whole := encoding.EncodeToString(append(make([]byte, before), v...))
		pieces = append(pieces, whole[(8*before+5)/6:8*(before+len(v))/6])
	}
	return pieces
}

// jsonEscaped is the inside of the JSON string. What cannot be encoded is left as
// it is; a string can always be.
func jsonEscaped(v string, escapeHTML bool) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(escapeHTML)
	if encoder.Encode(v) != nil {
		return v
	}
	return inner(strings.TrimSuffix(out.String(), "\n"))
}

// inner takes the quotation marks away, one on each side.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

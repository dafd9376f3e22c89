package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Scanner looks for secrets. It is safe for concurrent use.
type Scanner struct {
	forms []form
}

// form is one secret in one encoding.
type form struct {
	name string
	text []byte
}

// leastSecret is the length in bytes from which on a secret cannot be found by
// chance.
const leastSecret = 12

// New returns a scanner for secrets by name. An error says which of them is too
// short to be told from chance.
func New(secrets map[string]string) (*Scanner, error) {
	s := &Scanner{}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if len(secrets[name]) < leastSecret {
			return nil, fmt.Errorf("the secret %s is shorter than %d bytes", name, leastSecret)
		}
		known := encodings(secrets[name])
		s.forms = append(s.forms, form{name + " as text", []byte(secrets[name])})
		for _, encoding := range slices.Sorted(maps.Keys(known)) {
			for _, text := range known[encoding] {
				if !slices.ContainsFunc(s.forms, func(f form) bool { return string(f.text) == text }) {
					s.forms = append(s.forms, form{name + " as " + encoding, []byte(text)})
				}
			}
		}
	}
	return s, nil
}

// encodings are the forms that a secret is looked for in.
func encodings(secret string) map[string][]string {
	found := map[string][]string{
		"Go":          {inside(strconv.Quote(secret)), inside(strconv.QuoteToASCII(secret))},
		"HTML":        {html.EscapeString(secret)},
		"URL":         {url.QueryEscape(secret), url.PathEscape(secret), lowerEscapes(url.QueryEscape(secret)), lowerEscapes(url.PathEscape(secret))},
		"hexadecimal": {hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))},
		"base64":      base64Forms(secret),
	}
	for _, escapeHTML := range []bool{true, false} {
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(escapeHTML)
		// A string can always be encoded.
		_ = e.Encode(secret)
		quoted := inside(strings.TrimSpace(text.String()))
		found["JSON"] = append(found["JSON"], quoted, strings.ReplaceAll(quoted, "/", `\/`))
	}
	return found
}

// inside is a quoted text without its quotes.
func inside(quoted string) string { return quoted[1 : len(quoted)-1] }

// lowerEscapes writes %2F as %2f.
func lowerEscapes(text string) string {
	lower := []byte(text)
	for i := 0; i+2 < len(lower); i++ {
		if lower[i] == '%' {
			copy(lower[i+1:i+3], bytes.ToLower(lower[i+1:i+3]))
		}
	}
	return string(lower)
}

// base64Forms are what a secret looks like within encoded text, at each of the
// three places where it can begin within a group of three bytes. The characters
// that also tell of what is before and behind it are left out.
func base64Forms(secret string) []string {
	var forms []string
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		whole := padded[:len(padded)/3*3]
		first := 0
		if shift > 0 {
			first = 4
		}
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			forms = append(forms, encoding.EncodeToString(whole)[first:])
		}
	}
	return forms
}

// Scan returns which secrets a content holds, each once, with the encoding and
// how it was compressed.
func (s *Scanner) Scan(content []byte) []string {
	found := map[string]bool{}
	s.scan(content, "", maxNested, found)
	return slices.Sorted(maps.Keys(found))
}

func (s *Scanner) scan(content []byte, within string, nested int, found map[string]bool) {
	for _, f := range s.forms {
		if bytes.Contains(content, f.text) {
			found[f.name+within] = true
		}
	}
	if nested == 0 {
		return
	}
	for format, expanded := range expand(content) {
		s.scan(expanded, within+" in "+format, nested-1, found)
	}
}

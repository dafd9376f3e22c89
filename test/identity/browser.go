package identity

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is somebody at the provider's pages: it follows redirects, keeps
// cookies, and fills in forms.
type Browser struct {
	// Login is what the person enters.
	Login string
	http  *http.Client
}

// NewBrowser returns a browser without any session at the provider.
func NewBrowser(t *testing.T, login string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("make a cookie jar: %v", err)
	}
	return &Browser{Login: login, http: &http.Client{Jar: jar}}
}

// maxPages bounds how many pages a sign-in has.
const maxPages = 12

// SignIn opens an address and fills in every form until there is none, and returns
// the last page.
func (b *Browser) SignIn(t *testing.T, address string) (page string) {
	t.Helper()
	at, page := b.open(t, http.MethodGet, address, nil)
	for range maxPages {
		action, fields, ok := b.form(page)
		if !ok {
			return page
		}
		target, err := at.Parse(action)
		if err != nil {
			t.Fatalf("read a form: %v", err)
		}
		at, page = b.open(t, http.MethodPost, target.String(), fields)
	}
	t.Fatalf("the sign-in does not end:\n%s", page)
	return ""
}

// open asks for a page, with the fields of a form where there are any.
func (b *Browser) open(t *testing.T, method, address string, fields url.Values) (*url.URL, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatalf("ask for a page: %v", err)
	}
	if fields != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.http.Do(req)
	if err != nil {
		t.Fatalf("open a page: %v", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read a page: %v", err)
	}
	return res.Request.URL, string(text)
}

// form returns the first form of a page, filled in.
func (b *Browser) form(page string) (action string, fields url.Values, ok bool) {
	found := regexp.MustCompile(`(?s)<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>`).FindStringSubmatch(page)
	if found == nil {
		return "", nil, false
	}
	fields = url.Values{}
	for _, input := range regexp.MustCompile(`<input[^>]*>`).FindAllString(found[2], -1) {
		name, value := attribute(input, "name"), attribute(input, "value")
		switch name {
		case "":
			continue
		case "login":
			value = b.Login
		case "password":
			value = "anything"
		}
		fields.Set(name, value)
	}
	return html.UnescapeString(found[1]), fields, true
}

func attribute(tag, name string) string {
	found := regexp.MustCompile(fmt.Sprintf(`\s%s="([^"]*)"`, name)).FindStringSubmatch(tag)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

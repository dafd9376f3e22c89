package cyberark

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// tokenSlack renews tokens before CyberArk refuses them.
const tokenSlack = 2 * time.Minute

// tokens gets access tokens as the configuration says, and holds the last one in
// memory. It is not safe for concurrent use.
//
// The OAuth2 client app takes login and password by HTTP Basic as they are; the
// libraries for OAuth 2.0 encode them as forms first, as RFC 6749 has it, and a login
// has an "@".
type tokens struct {
	configuration configuration
	api           rest.Client

	held string
	ends time.Time
}

// get returns a token; fresh asks for one that was not given before.
func (t *tokens) get(ctx context.Context, fresh bool) (string, error) {
	if t.held != "" && !fresh && time.Now().Before(t.ends) {
		return t.held, nil
	}
	t.held = ""
	var got struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := beginsAsJSON(t.api.JSON(ctx, t.call(), &got)); err != nil {
		return "", err
	}
	if got.AccessToken == "" {
		return "", provider().Unreadable("the request for a token", nil)
	}
	lifetime := time.Duration(got.ExpiresIn) * time.Second
	t.held, t.ends = got.AccessToken, time.Now().Add(lifetime-min(tokenSlack, lifetime/2))
	return t.held, nil
}

func (t *tokens) call() rest.Call {
	c := t.configuration
	form := url.Values{"grant_type": {"client_credentials"}}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, headerNative: {"true"}}
	at := "/oauth2/platformtoken"
	if c.scoped() {
		at = "/OAuth2/Token/" + url.PathEscape(c.ApplicationID)
		form.Set("scope", c.Scope)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.ClientID+":"+c.ClientSecret)))
	} else {
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
	}
	return rest.Call{Name: "the request for a token", Method: http.MethodPost, URL: c.base() + at, Header: header, Body: []byte(form.Encode()), Refused: refusedSignIn}
}

// refusedSignIn explains an answer of the token endpoint that is an error. CyberArk's
// text decides between a password that is wrong and one that has ended, and is not
// passed on.
func refusedSignIn(a rest.Answer) error {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	readable := json.Unmarshal(a.Body, &said) == nil && said.Error != ""
	fail := func(c connector.Category, message string) error {
		return &connector.Error{Category: c, Message: message, Cause: fmt.Errorf("token endpoint: HTTP status %d, %s", a.Status, records.Clip(said.Error, 64)), RetryAfter: connector.RetryAfter(a.Header)}
	}
	text := strings.ToLower(said.Description)
	switch {
	case a.Status == http.StatusNotFound || bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<")) && a.Status < http.StatusInternalServerError:
		return fail(connector.ScopeInvalid, "CyberArk knows no such OAuth2 client app; check tenant_url and application_id")
	case limited(a):
		return fail(connector.Throttled, "CyberArk limits the rate of sign-ins")
	case readable && said.Error == "invalid_scope":
		return fail(connector.ScopeInvalid, "the OAuth2 client app has no such scope; check scope and application_id")
	case readable && (strings.Contains(text, "expired") || strings.Contains(text, "locked") || strings.Contains(text, "suspended")):
		return fail(connector.CredentialExpired, "CyberArk says that the service user is locked or suspended, or that its password has ended; check the user and its box Password never expires")
	}
	plain := provider().TokenRefusal(a.Status, a.Header, a.Body)
	if plain.Category == connector.CredentialInvalid {
		plain.Message = "CyberArk refuses the service user; check client_id with its suffix, client_secret, the user's box Is OAuth confidential client, and that its role may run the app"
	}
	return plain
}

// limited reports whether an answer refuses a call because of the rate.
func limited(a rest.Answer) bool {
	refused, _ := connector.RateRefused(&http.Response{StatusCode: a.Status, Header: a.Header})
	return refused
}

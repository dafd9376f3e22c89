package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatehouse-project/gatehouse/connector"
)

const (
	// tokenSlack renews tokens before the provider refuses them.
	tokenSlack = 2 * time.Minute
	// tokenTimeout is how long the token endpoint may take.
	tokenTimeout = time.Minute
)

// ClientCredentials gets access tokens with a client id and secret (RFC 6749, 4.4)
// and holds the last one in memory. Its Token is a [Client]'s. It is not safe for
// concurrent use.
type ClientCredentials struct {
	API  API
	HTTP *http.Client
	// TokenURL is the token endpoint.
	TokenURL               string
	ClientID, ClientSecret string
	Scopes                 []string
	// Parameters are the provider's own, such as an audience.
	Parameters url.Values
	// InHeader sends id and secret by HTTP Basic, and else in the form.
	InHeader bool
	// Refused explains the token endpoint's refusals in the provider's own terms; nil,
	// also as its answer, stands for [API.TokenRefusal].
	Refused func(code, description string) *connector.Error

	held *oauth2.Token
}

// Token returns a token that is good for two minutes more, or has no end.
func (c *ClientCredentials) Token(ctx context.Context, fresh bool) (string, error) {
	if c.held != nil && !fresh && (c.held.Expiry.IsZero() || time.Until(c.held.Expiry) > tokenSlack) {
		return c.held.AccessToken, nil
	}
	c.held = nil
	style := oauth2.AuthStyleInParams
	if c.InHeader {
		style = oauth2.AuthStyleInHeader
	}
	config := clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: c.TokenURL, Scopes: c.Scopes, EndpointParams: c.Parameters, AuthStyle: style,
	}
	limited, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	got, err := config.Token(context.WithValue(limited, oauth2.HTTPClient, c.HTTP))
	if err != nil {
		return "", explainToken(ctx, c.API, err, c.Refused)
	}
	c.held = got
	return got.AccessToken, nil
}

// Field returns what else the token endpoint answered with the token that is held,
// such as the address of the organisation's own server; empty when it did not.
func (c *ClientCredentials) Field(name string) string {
	if c.held == nil {
		return ""
	}
	text, _ := c.held.Extra(name).(string)
	return text
}

// explainToken explains why there is no token. own are the provider's words for a
// refusal, nil where it has none.
func explainToken(ctx context.Context, api API, err error, own func(code, description string) *connector.Error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		status := refused.Response.StatusCode
		if own != nil && status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
			if e := own(refused.ErrorCode, refused.ErrorDescription); e != nil {
				e.Cause = fmt.Errorf("token endpoint: HTTP status %d, %s", status, clip(refused.ErrorCode))
				return e
			}
		}
		return api.TokenRefusal(status, refused.Response.Header, refused.Body)
	}
	var sent *url.Error
	var known *connector.Error
	if errors.As(err, &sent) || errors.As(err, &known) {
		return api.Unreachable(err)
	}
	return api.Unreadable("the request for a token", err)
}

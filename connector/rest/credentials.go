package rest

import (
	"context"
	"errors"
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
		return "", c.explain(ctx, err)
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

func (c *ClientCredentials) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		return c.API.TokenRefusal(refused.Response.StatusCode, refused.Response.Header, refused.Body)
	}
	var sent *url.Error
	var known *connector.Error
	if errors.As(err, &sent) || errors.As(err, &known) {
		return c.API.Unreachable(err)
	}
	return c.API.Unreadable("the request for a token", err)
}

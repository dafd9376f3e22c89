package rest

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/gatehouse-project/gatehouse/connector"
)

// RefreshToken gets access tokens for a refresh token (RFC 6749, 6) that the platform
// keeps, and holds the last one in memory. Its Token is a [Client]'s. It is not safe
// for concurrent use.
type RefreshToken struct {
	API  API
	HTTP *http.Client
	// Credentials keep the refresh token. An exchange that gives another one has it
	// stored before the access token is used.
	Credentials connector.Credentials
	// TokenURL is the token endpoint.
	TokenURL string
	// ClientID and ClientSecret are the application's; a public client has no secret.
	ClientID, ClientSecret string
	// InHeader sends id and secret by HTTP Basic, and else in the form.
	InHeader bool
	// Refused explains the token endpoint's refusals; nil where the provider has no
	// words of its own for invalid_grant.
	Refused func(code, description string) *connector.Error

	held *oauth2.Token
}

// Token returns a token that is good for two minutes more, or has no end.
func (r *RefreshToken) Token(ctx context.Context, fresh bool) (string, error) {
	if r.held != nil && !fresh && (r.held.Expiry.IsZero() || time.Until(r.held.Expiry) > tokenSlack) {
		return r.held.AccessToken, nil
	}
	r.held = nil
	if r.Credentials == nil {
		return "", &connector.Error{Category: connector.CredentialInvalid, Message: "nobody keeps the refresh token of this connection; run it by the platform"}
	}
	var got *oauth2.Token
	err := r.Credentials.Renew(ctx, func(ctx context.Context, secret string) (connector.Renewed, error) {
		token, err := r.exchange(ctx, secret)
		if err != nil {
			return connector.Renewed{}, err
		}
		got = token
		if token.RefreshToken == secret {
			return connector.Renewed{}, nil // oauth2 repeats the old one where there is no new one
		}
		return connector.Renewed{Secret: token.RefreshToken}, nil
	})
	if err != nil {
		return "", err
	}
	r.held = got
	return got.AccessToken, nil
}

// Field returns what else the token endpoint answered with the token that is held;
// empty when it did not.
func (r *RefreshToken) Field(name string) string {
	if r.held == nil {
		return ""
	}
	text, _ := r.held.Extra(name).(string)
	return text
}

func (r *RefreshToken) exchange(ctx context.Context, secret string) (*oauth2.Token, error) {
	style := oauth2.AuthStyleInParams
	if r.InHeader {
		style = oauth2.AuthStyleInHeader
	}
	config := oauth2.Config{ClientID: r.ClientID, ClientSecret: r.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: r.TokenURL, AuthStyle: style}}
	limited, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	got, err := config.TokenSource(context.WithValue(limited, oauth2.HTTPClient, r.HTTP), &oauth2.Token{RefreshToken: secret}).Token()
	if err != nil {
		return nil, explainToken(ctx, r.API, err, r.refused)
	}
	return got, nil
}

// refused takes invalid_grant for the end of the sign-in: nothing but another one
// helps.
func (r *RefreshToken) refused(code, description string) *connector.Error {
	if r.Refused != nil {
		if e := r.Refused(code, description); e != nil {
			return e
		}
	}
	if code == "invalid_grant" {
		return &connector.Error{Category: connector.CredentialExpired, Message: r.API.Provider + " does not take the refresh token any more; sign in there again and store the new one"}
	}
	return nil
}

package azure

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// tokenSlack renews tokens before Microsoft refuses them.
const tokenSlack = 2 * time.Minute

// claims are what an access token tells of itself. Microsoft calls tokens opaque
// to who sends them; these claims are documented and what its own tools show.
type claims struct {
	Tenant string   `json:"tid"`
	Object string   `json:"oid"`
	Roles  []string `json:"roles"`
}

type token struct {
	value   string
	expires time.Time
	claims  claims
}

// tokens gets access tokens by a connection's credentials and holds them for the
// session.
type tokens struct {
	configuration configuration
	endpoints     endpoints
	wire          *signInWire
	credential    azcore.TokenCredential
	held          map[string]token // by scope
}

func newTokens(c configuration, e endpoints, client *http.Client) (*tokens, error) {
	t := &tokens{configuration: c, endpoints: e, wire: &signInWire{client: client, custom: e.custom, plain: strings.HasPrefix(e.login, "http://")}, held: map[string]token{}}
	return t, t.renew()
}

// renew makes the credential anew: what one holds, it gives out again until it
// expires by its own word.
func (t *tokens) renew() error {
	options := policy.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + strings.TrimPrefix(strings.TrimPrefix(t.endpoints.login, "http://"), "https://") + "/"},
		Transport: t.wire,
		// Trying again is the runtime's work.
		Retry: policy.RetryOptions{MaxRetries: -1},
	}
	c := t.configuration
	var err error
	switch c.AuthMode {
	case authSecret:
		t.credential, err = azidentity.NewClientSecretCredential(c.TenantID, c.ClientID, c.ClientSecret, &azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	case authCertificate:
		certificates, key, parsed := azidentity.ParseCertificates([]byte(c.Certificate+"\n"+c.PrivateKey), nil)
		if parsed != nil {
			return &connector.Error{Category: connector.CredentialInvalid, Message: "certificate and private_key are not a PEM certificate and its key without a password", Cause: parsed}
		}
		t.credential, err = azidentity.NewClientCertificateCredential(c.TenantID, c.ClientID, certificates, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	case authWorkload:
		// The token's file is named by the worker's environment alone.
		t.credential, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true, ClientID: c.ClientID, TenantID: c.TenantID})
	default:
		// The machine's metadata service is asked by the SDK's own client, because the
		// session's rightly does not reach it. No part of where it looks comes from the
		// connection.
		o := &azidentity.ManagedIdentityCredentialOptions{}
		if c.ClientID != "" {
			o.ID = azidentity.ClientID(c.ClientID)
		}
		t.credential, err = azidentity.NewManagedIdentityCredential(o)
	}
	if err != nil {
		return &connector.Error{Category: connector.CredentialInvalid, Message: "the credentials cannot be used for " + c.AuthMode + "; check them, and the worker's environment", Cause: err}
	}
	return nil
}

// get returns a token of the scope. Fresh asks for one that was not given before.
func (t *tokens) get(ctx context.Context, scope string, fresh bool) (token, error) {
	if held, ok := t.held[scope]; ok && !fresh && time.Until(held.expires) > tokenSlack {
		return held, nil
	}
	if fresh {
		delete(t.held, scope)
		if err := t.renew(); err != nil {
			return token{}, err
		}
	}
	t.wire.forget()
	got, err := t.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		if ctx.Err() != nil {
			return token{}, ctx.Err()
		}
		return token{}, t.wire.explain(err, t.configuration)
	}
	made := token{value: got.Token, expires: got.ExpiresOn, claims: readClaims(got.Token)}
	t.held[scope] = made
	return made, nil
}

// readClaims reads what a token says; nothing of one in another form.
func readClaims(text string) (c claims) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return claims{}
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return claims{}
	}
	c.Tenant, c.Object = strings.ToLower(c.Tenant), strings.ToLower(c.Object)
	return c
}

// signInWire makes the calls of azidentity with the session's client, and keeps
// what the last one came to: the SDK's errors are text.
type signInWire struct {
	client *http.Client
	// custom is the host of the connection's own address. It is plain if it speaks
	// http: azidentity insists on https.
	custom string
	plain  bool

	failed error
	status int
	header http.Header
	body   []byte
}

func (w *signInWire) forget() { w.failed, w.status, w.header, w.body = nil, 0, nil, nil }

// mostSignInBytes bounds an answer of the token endpoint.
const mostSignInBytes = 1 << 20

// Do makes a call.
func (w *signInWire) Do(request *http.Request) (*http.Response, error) {
	if w.plain && request.URL.Host == w.custom {
		request.URL.Scheme = "http"
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.failed = err
		return nil, err
	}
	body, err := rest.ReadBody(response, mostSignInBytes)
	if err != nil {
		w.failed = &url.Error{Op: "read", URL: request.URL.String(), Err: err}
		return nil, fmt.Errorf("read the answer of %s: %w", request.URL.Host, err)
	}
	w.status, w.header, w.body = response.StatusCode, response.Header, body
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// explain says in the contract's terms why there is no token.
func (w *signInWire) explain(err error, c configuration) error {
	var known *connector.Error
	switch {
	case errors.As(err, &known):
		return known
	case w.failed != nil:
		return provider().Unreachable(w.failed)
	case w.status >= http.StatusBadRequest:
		return signInError(w.status, w.header, w.body)
	case w.status == 0 && (c.AuthMode == authManagedIdentity || c.AuthMode == authWorkload):
		return &connector.Error{Category: connector.CredentialInvalid, Message: "the worker's environment provides no " + strings.ReplaceAll(c.AuthMode, "_", " "), Cause: err}
	}
	return &connector.Error{Category: connector.ProviderUnavailable, Message: "the token endpoint was answered in a form that is not Microsoft's; check endpoint_url and cloud", Cause: err}
}

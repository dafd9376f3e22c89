package cyberark

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

const (
	// mostAnswerBytes bounds one answer: a page of rows, or all members of a role.
	mostAnswerBytes = 64 << 20
	// headerNative tells CyberArk that a program calls, which is not to be shown the
	// sign-in page.
	headerNative = "X-Idap-Native-Client"
)

// provider names CyberArk in messages, and what of the configuration leads to it.
func provider() rest.API {
	return rest.API{Provider: "CyberArk", Settings: []string{"tenant_url", "endpoint_url"}}
}

// call is one request, with what is said when it is refused.
type call struct {
	// path without a leading slash.
	path string
	body any
	// pattern is the one of the scope that covers the path, and right what shows what
	// is asked for; empty when none is needed.
	pattern, right string
}

// identity is whom the tenant says that a token is of.
type identity struct{ tenant, user string }

// client calls the tenant with the session's tokens, budget and HTTP client.
type client struct {
	base   string
	rest   rest.Client
	tokens *tokens
	custom string
	closed atomic.Bool
	scoped bool

	who *identity
}

func newClient(conf configuration, settings connector.Settings, timeout time.Duration) *client {
	api := rest.Client{API: provider(), HTTP: settings.HTTPClient, Budget: settings.Budget, Timeout: timeout, MostBytes: mostAnswerBytes}
	c := &client{base: conf.base(), rest: api, tokens: &tokens{configuration: conf, api: api}, scoped: conf.scoped()}
	if conf.EndpointURL != "" {
		c.custom = strings.TrimSuffix(conf.EndpointURL, "/")
	}
	c.rest.Token = c.tokens.get
	return c
}

// envelope is the form of every answer. An error has it as well, with the status of
// success.
type envelope[T any] struct {
	Success   *bool   `json:"success"`
	Result    T       `json:"Result"`
	Message   *string `json:"Message"`
	MessageID *string `json:"MessageID"`
}

// identity asks once whom the token is of. It is the first call of a session, and the
// only one that counts for nobody: whose budget it is, it tells.
func (c *client) identity(ctx context.Context) (identity, error) {
	if c.who != nil {
		return *c.who, nil
	}
	var got struct {
		TenantID string `json:"TenantId"`
		UserUUID string `json:"UserUuid"`
	}
	if err := send(ctx, c, call{path: pathWhoAmI, body: struct{}{}, pattern: patternWhoAmI}, nil, &got); err != nil {
		return identity{}, err
	}
	if got.TenantID == "" {
		return identity{}, &connector.Error{Category: connector.ProviderUnavailable, Message: "CyberArk does not tell which tenant this is; check tenant_url"}
	}
	c.who = &identity{tenant: strings.ToLower(got.TenantID), user: strings.ToLower(got.UserUUID)}
	return *c.who, nil
}

// post makes a call and decodes what it found.
func post[T any](ctx context.Context, c *client, of call, into *T) error {
	who, err := c.identity(ctx)
	if err != nil {
		return err
	}
	return send(ctx, c, of, c.uses(who), into)
}

func send[T any](ctx context.Context, c *client, of call, uses []connector.Use, into *T) error {
	if c.closed.Load() {
		return &connector.Error{Category: connector.Internal, Message: "the session is closed"}
	}
	body, err := json.Marshal(of.body)
	if err != nil {
		return &connector.Error{Category: connector.Internal, Message: "a request to CyberArk cannot be written", Cause: err}
	}
	var got envelope[T]
	err = beginsAsJSON(c.rest.JSON(ctx, rest.Call{
		Name: of.name(), Method: http.MethodPost, URL: c.base + "/" + of.path, Body: body, Uses: uses, Header: http.Header{headerNative: {"true"}},
		Refused: func(a rest.Answer) error { return refused(of, a) },
	}, &got))
	switch {
	case isRefusedToken(err):
		return c.explainRefusedToken(ctx, of, err)
	case err != nil:
		return err
	case got.Success == nil:
		return provider().Unreadable(of.name(), nil)
	case !*got.Success:
		return failed(of, got.Message, got.MessageID)
	}
	*into = got.Result
	return nil
}

// explainRefusedToken tells a path that the scope does not cover from a token that
// nothing is allowed with, by what every scope has to cover.
func (c *client) explainRefusedToken(ctx context.Context, of call, err error) error {
	if of.path == pathWhoAmI || !c.scoped {
		return err
	}
	c.who = nil
	if _, err := c.identity(ctx); err != nil {
		return err
	}
	return uncovered(of)
}

// name is what people see of a call: its path, without parameters.
func (of call) name() string {
	path, _, _ := strings.Cut(of.path, "?")
	return "/" + path
}

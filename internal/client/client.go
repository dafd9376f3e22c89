package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// maxAnswer bounds what is read of one answer: 64 MiB, far above any page.
const maxAnswer = 64 << 20

// defaultTimeout bounds a call, beside the time a call asks the server to wait.
const defaultTimeout = 60 * time.Second

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	key   secret.Secret
	http  *http.Client
	agent string
	// workspace is where requests work, for a session; a key has its own.
	workspace string
	// renew returns another token when the server takes this one for ended.
	renew func(ctx context.Context) (secret.Secret, error)
}

// New returns a client of the server at address, such as
// "https://gatehouse.example.com", that authenticates with key. The version
// names the caller in the server's log.
func New(address string, key secret.Secret, version string) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of a server: want something like https://gatehouse.example.com", address)
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the server's address holds a user, query or fragment; give the API key through GATEHOUSE_API_KEY or a context")
	}
	return &Client{
		base: base, key: key, agent: "gatehouse-cli/" + version,
		http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// InWorkspace returns a client whose requests work in a workspace, named by its id
// or, for the tenant level, "tenant". Empty names none.
func (c *Client) InWorkspace(name string) *Client {
	in := *c
	in.workspace = name
	return &in
}

// Workspace returns where requests work; see [Client.InWorkspace].
func (c *Client) Workspace() string { return c.workspace }

// Renewing returns a client that, when the server no longer accepts its token,
// calls renew for another one and asks once more.
func (c *Client) Renewing(renew func(ctx context.Context) (secret.Secret, error)) *Client {
	with := *c
	with.renew = renew
	return &with
}

// Address returns the server's address.
func (c *Client) Address() string { return strings.TrimSuffix(c.base.String(), "/") }

// Answer is one answer of the server: as it was sent, and decoded.
type Answer[T any] struct {
	Raw   json.RawMessage
	Value T
}

// call is one request.
type call struct {
	method string
	path   string
	query  url.Values
	body   any
	header http.Header
	// wait is how long the server was asked to hold the answer back.
	wait time.Duration
}

// send makes a call and decodes its answer. An answer without content leaves
// the value as it is.
func send[T any](ctx context.Context, c *Client, what call) (Answer[T], error) {
	var a Answer[T]
	raw, err := c.do(ctx, what)
	if err != nil || len(raw) == 0 {
		return a, err
	}
	if err := json.Unmarshal(raw, &a.Value); err != nil {
		return a, fmt.Errorf("%s answered %s %s with something else than this version of gatehouse expects: %w", c.Address(), what.method, what.path, err)
	}
	a.Raw = raw
	return a, nil
}

// do makes a call, and makes it again with another token when this one has ended
// and can be renewed.
func (c *Client) do(ctx context.Context, what call) (json.RawMessage, error) {
	raw, err := c.once(ctx, what)
	var refused *Problem
	if c.renew == nil || !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		return raw, err
	}
	token, err := c.renew(ctx)
	if err != nil {
		return nil, err
	}
	again := *c
	again.key, again.renew = token, nil
	return again.once(ctx, what)
}

func (c *Client) once(ctx context.Context, what call) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout+what.wait)
	defer cancel()
	req, err := c.request(ctx, what)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, c.unreachable(ctx, err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer to %s %s is larger than %d MiB; ask for less with --limit", what.method, what.path, maxAnswer>>20)
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return nil, fmt.Errorf("%s sends elsewhere (%s to %s); name the server itself", c.Address(), res.Status, res.Header.Get("Location"))
	case res.StatusCode >= 400:
		return nil, problemOf(res, body)
	}
	return body, nil
}

func (c *Client) request(ctx context.Context, what call) (*http.Request, error) {
	target := c.base.JoinPath(what.path)
	target.RawQuery = what.query.Encode()
	var body io.Reader
	if what.body != nil {
		encoded, err := json.Marshal(what.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request of %s %s: %w", what.method, what.path, err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, what.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request of %s %s: %w", what.method, what.path, err)
	}
	for name, values := range what.header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", c.agent)
	if !c.key.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.key.RevealString())
	}
	if c.workspace != "" {
		req.Header.Set("Gatehouse-Workspace", c.workspace)
	}
	return req, nil
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &Unreachable{Address: c.Address(), Cause: err}
}

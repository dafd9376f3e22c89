package azure

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// The APIs that are called.
const (
	serviceGraph = "graph"
	serviceARM   = "arm"
)

// mostAnswerBytes bounds one answer; a page of 999 service principals with all
// their roles and keys stays well below.
const mostAnswerBytes = 64 << 20

// call is one request, with what is said when it is refused.
type call struct {
	service, url string
	// permission is what it needs, on where.
	permission, on string
	// cost is in Graph's resource units, or calls of Resource Manager.
	cost int
	// subscription is the one whose rate it counts for, empty for the tenant's.
	subscription string
}

// name is what people see of a call: its path, without parameters.
func (c call) name() string {
	u, err := url.Parse(c.url)
	if err != nil {
		return c.service
	}
	return records.Clip(u.Path, 256)
}

// option is the setting that asks for what needs a licence.
func (c call) option() string {
	if strings.Contains(c.url, "/users") {
		return "include_sign_in_activity"
	}
	return "include_pim"
}

// client calls the two APIs with the session's tokens, budget and HTTP client.
type client struct {
	http      *http.Client
	endpoints endpoints
	tokens    *tokens
	meter     meter
	timeout   time.Duration
	closed    atomic.Bool
}

// provider names Microsoft in messages, and what of the configuration leads to it.
func provider() rest.API {
	return rest.API{Provider: "Microsoft", Settings: []string{"cloud", "endpoint_url"}}
}

func (c *client) scope(service string) string {
	if service == serviceGraph {
		return c.endpoints.graphScope
	}
	return c.endpoints.armScope
}

// token returns a token of a service.
func (c *client) token(ctx context.Context, service string, fresh bool) (token, error) {
	if c.closed.Load() {
		return token{}, &connector.Error{Category: connector.Internal, Message: "the session is closed"}
	}
	return c.tokens.get(ctx, c.scope(service), fresh)
}

// get reads a JSON answer.
func (c *client) get(ctx context.Context, of call, into any) error {
	return c.send(ctx, of, http.MethodGet, nil, into)
}

// send makes a call; one whose token is refused is made once more with another.
func (c *client) send(ctx context.Context, of call, method string, body []byte, into any) error {
	// For whose budget it is, and to explain a refusal.
	held, err := c.token(ctx, of.service, false)
	if err != nil {
		return err
	}
	request := rest.Call{
		Name: of.name(), Method: method, URL: of.url, Body: body,
		Refused: func(a rest.Answer) error { return refusal(of, a.Status, a.Header, a.Body, held.claims.Roles) },
	}
	if of.service == serviceGraph {
		// Directory synchronisation gives way to people's requests.
		request.Header = http.Header{"X-Ms-Throttle-Priority": {"low"}}
	}
	if use, counted := c.meter.use(of, held.claims.Tenant); counted {
		request.Uses = []connector.Use{use}
	}
	api := rest.Client{
		API: provider(), HTTP: c.http, Budget: c.meter.budget, Timeout: c.timeout, MostBytes: mostAnswerBytes,
		Token: func(ctx context.Context, fresh bool) (string, error) {
			if fresh {
				if held, err = c.token(ctx, of.service, true); err != nil {
					return "", err
				}
			}
			return held.value, nil
		},
	}
	return api.JSON(ctx, request, into)
}

// follow makes the call for a next link, which has to lead to where the list is:
// the access token goes with it.
func follow(of call, link string) (call, error) {
	if !rest.SameOrigin(of.url, link) {
		return of, &connector.Error{Category: connector.ProviderUnavailable, Message: "the next page of " + of.name() + " is said to be at another host; it is not asked"}
	}
	of.url = link
	return of, nil
}

package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
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
	for attempt := 0; ; attempt++ {
		held, err := c.token(ctx, of.service, attempt > 0)
		if err != nil {
			return err
		}
		status, header, answer, err := c.once(ctx, of, held, method, body)
		if err != nil {
			return err
		}
		switch {
		case status == http.StatusUnauthorized && attempt == 0:
			continue
		case status < http.StatusOK || status >= http.StatusMultipleChoices:
			return refusal(of, status, header, answer, held.claims.Roles)
		}
		if err := json.Unmarshal(answer, into); err != nil {
			return &connector.Error{Category: connector.ProviderUnavailable, Message: of.name() + " was answered in a form that is not Microsoft's", Cause: err}
		}
		return nil
	}
}

// once makes a call when the budget allows it, and reads the answer to its end.
func (c *client) once(ctx context.Context, of call, held token, method string, body []byte) (status int, header http.Header, answer []byte, err error) {
	use, counted := c.meter.use(of, held.claims.Tenant)
	if counted {
		release, err := c.meter.budget.Take(ctx, use)
		if err != nil {
			return 0, nil, nil, budgetError(ctx, err)
		}
		defer release()
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, of.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, &connector.Error{Category: connector.Internal, Message: "a request to Microsoft cannot be made", Cause: err}
	}
	request.Header.Set("Authorization", "Bearer "+held.value)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if of.service == serviceGraph {
		// Directory synchronisation gives way to people's requests.
		request.Header.Set("x-ms-throttle-priority", "low")
	}
	response, err := c.http.Do(request)
	if err == nil {
		status, header = response.StatusCode, response.Header
		answer, err = io.ReadAll(io.LimitReader(response.Body, mostAnswerBytes+1))
		if closed := response.Body.Close(); err == nil {
			err = closed
		}
	}
	switch {
	case ctx.Err() != nil:
		return 0, nil, nil, ctx.Err()
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return 0, nil, nil, &connector.Error{Category: connector.ProviderUnavailable, Message: of.name() + " was not answered in " + c.timeout.String(), Cause: err}
	case err != nil && response == nil:
		return 0, nil, nil, unreachable(err)
	case err != nil:
		return 0, nil, nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "the answer of " + of.name() + " was cut off", Cause: err}
	case len(answer) > mostAnswerBytes:
		return 0, nil, nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "the answer of " + of.name() + " is too large"}
	}
	if refused, wait := connector.RateRefused(response); refused && counted {
		c.meter.budget.Throttled(ctx, wait, use)
	}
	return status, header, answer, nil
}

func budgetError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return connector.AsError(err)
}

// follow makes the call for a next link, which has to lead to where the list is:
// the access token goes with it.
func (c *client) follow(of call, link string) (call, error) {
	base, err := url.Parse(of.url)
	next, parsed := url.Parse(link)
	if err != nil || parsed != nil || next.Scheme != base.Scheme || !strings.EqualFold(next.Host, base.Host) || next.User != nil {
		return of, &connector.Error{Category: connector.ProviderUnavailable, Message: "the next page of " + of.name() + " is said to be at another host; it is not asked"}
	}
	of.url = link
	return of, nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// mostBytes bounds an answer of the controller.
const mostBytes = 8 << 20

// site is what the controller says of itself and of the token.
type site struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Client string `json:"client"`
}

// controller speaks to the provider and turns what fails into the contract's terms,
// without the provider's own text, which could repeat a secret.
type controller struct {
	url, token string
	http       *http.Client
	budget     connector.Budget
	// here is where the token leads, once it is known: budgets are kept by it.
	here *site
}

func newController(url, token string, settings connector.Settings) *controller {
	c := &controller{url: strings.TrimSuffix(url, "/"), token: token, http: settings.HTTPClient, budget: settings.Budget}
	if c.budget == nil {
		c.budget = connector.Unlimited{}
	}
	return c
}

// whereAmI asks once for the site. Whose budget the call counts for is not known yet.
func (c *controller) whereAmI(ctx context.Context) (*site, error) {
	if c.here == nil {
		var here site
		if err := c.call(ctx, "/site", "", &here, nil); err != nil {
			return nil, err
		}
		c.here = &here
	}
	return c.here, nil
}

// get asks for leave and makes a call.
func (c *controller) get(ctx context.Context, path, permission string, into any) error {
	here, err := c.whereAmI(ctx)
	if err != nil {
		return err
	}
	use := connector.Use{Scope: "calls", Key: []string{here.ID}}
	release, err := c.budget.Take(ctx, use)
	if err != nil {
		return err // the budget's own error, unchanged
	}
	defer release()
	return c.call(ctx, path, permission, into, func(wait time.Duration) { c.budget.Throttled(ctx, wait, use) })
}

func (c *controller) call(ctx context.Context, path, permission string, into any, refused func(time.Duration)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return &connector.Error{Category: connector.ScopeInvalid, Message: "the address is not a URL"}
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.http.Do(request)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return &connector.Error{Category: connector.CredentialInvalid, Message: "the controller does not accept the token"}
	case http.StatusForbidden:
		return &connector.Error{Category: connector.PermissionDenied, Message: "the controller refuses the token " + strings.SplitN(path, "?", 2)[0], Permission: permission, On: "the controller"}
	case http.StatusTooManyRequests:
		wait := connector.RetryAfter(response.Header)
		if refused != nil {
			refused(wait)
		}
		return &connector.Error{Category: connector.Throttled, Message: "the controller asks to slow down", RetryAfter: wait}
	default:
		return &connector.Error{Category: connector.ProviderUnavailable, Message: fmt.Sprintf("the controller answered %d", response.StatusCode)}
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, mostBytes)).Decode(into); err != nil {
		return unreachable(ctx, err)
	}
	return nil
}

// unreachable keeps a context's end apart from the provider's.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var own *connector.Error
	if errors.As(err, &own) {
		return own
	}
	return &connector.Error{Category: connector.NetworkUnreachable, Message: "the controller does not answer as it should", Cause: err}
}

package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Client makes a connector's calls with the session's HTTP client. It is safe for
// concurrent use where Token is.
type Client struct {
	API  API
	HTTP *http.Client
	// Token returns an access token; fresh asks for one that was not given before.
	// Nil sends none.
	Token func(ctx context.Context, fresh bool) (string, error)
	// Budget is asked before each call; nil when nobody counts.
	Budget connector.Budget
	// Timeout is how long one call may take, its answer included.
	Timeout time.Duration
	// MostBytes bounds one answer.
	MostBytes int64
}

// Call is one request.
type Call struct {
	// Name is what people see of it, such as its path, without parameters.
	Name string
	// Method is GET where it is empty.
	Method, URL string
	// Header is added to what the client sends itself.
	Header http.Header
	// Body is JSON, unless Header says otherwise.
	Body []byte
	// Permission is what it needs, on what: for the error when it is refused.
	Permission, On string
	// Uses are the budgets that it takes from; none when it does not count.
	Uses []connector.Use
	// Met returns which of them met their limit, of an answer that refuses the call
	// because of its rate; nil stands for all.
	Met func(http.Header) []connector.Use
	// Refused explains an answer that is an error. Nil stands for [API.Refusal].
	Refused func(Answer) error
}

// Answer is what a call was answered with.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON makes a call and decodes its answer. A call whose token is refused is made
// once more with another. Errors are the context's, Token's own, or a
// [*connector.Error].
func (c *Client) JSON(ctx context.Context, call Call, into any) error {
	for attempt := 0; ; attempt++ {
		token, err := c.token(ctx, attempt > 0)
		if err != nil {
			return err
		}
		a, err := c.do(ctx, call, token)
		if err != nil {
			return err
		}
		switch {
		case a.Status == http.StatusUnauthorized && attempt == 0 && c.Token != nil:
			continue
		case a.Status < http.StatusOK || a.Status >= http.StatusMultipleChoices:
			if call.Refused != nil {
				return call.Refused(a)
			}
			return c.API.Refusal(call.Name, call.Permission, call.On, a.Status, a.Header)
		}
		if err := json.Unmarshal(a.Body, into); err != nil {
			return c.API.Unreadable(call.Name, err)
		}
		return nil
	}
}

func (c *Client) token(ctx context.Context, fresh bool) (string, error) {
	if c.Token == nil {
		return "", nil
	}
	return c.Token(ctx, fresh)
}

// do makes a call when the budget allows it, and reads the answer to its end.
func (c *Client) do(ctx context.Context, call Call, token string) (Answer, error) {
	counted := c.Budget != nil && len(call.Uses) > 0
	if counted {
		release, err := c.Budget.Take(ctx, call.Uses...)
		if err != nil {
			if ctx.Err() != nil {
				return Answer{}, ctx.Err()
			}
			return Answer{}, connector.AsError(err)
		}
		defer release()
	}
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := c.request(limited, call, token)
	if err != nil {
		return Answer{}, &connector.Error{Category: connector.Internal, Message: "a request to " + c.API.Provider + " cannot be made", Cause: err}
	}
	response, err := c.HTTP.Do(request)
	var body []byte
	if err == nil {
		body, err = ReadBody(response, c.MostBytes)
	}
	switch {
	case ctx.Err() != nil:
		return Answer{}, ctx.Err()
	case err == nil:
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return Answer{}, c.API.unavailable(call.Name+" was not answered in "+c.Timeout.String(), err)
	case response == nil:
		return Answer{}, c.API.Unreachable(err)
	case errors.Is(err, ErrTooLarge):
		return Answer{}, c.API.unavailable("the answer of "+call.Name+" is too large", err)
	default:
		return Answer{}, c.API.unavailable("the answer of "+call.Name+" was cut off", err)
	}
	if refused, wait := connector.RateRefused(response); refused && counted {
		met := call.Uses
		if call.Met != nil {
			met = call.Met(response.Header)
		}
		c.Budget.Throttled(ctx, wait, met...)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

func (c *Client) request(ctx context.Context, call Call, token string) (*http.Request, error) {
	method := call.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if call.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range call.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

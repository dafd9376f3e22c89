package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/rest"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

func doors() rest.API {
	return rest.API{Provider: "Doors", Settings: []string{"endpoint_url"}}
}

// budget counts leaves and releases, and what it was told.
type budget struct {
	refuse    error
	under     atomic.Int32
	taken     atomic.Int32
	throttled []time.Duration
}

func (b *budget) Take(context.Context, ...connector.Use) (func(), error) {
	if b.refuse != nil {
		return nil, b.refuse
	}
	b.taken.Add(1)
	b.under.Add(1)
	return func() { b.under.Add(-1) }, nil
}

func (b *budget) Throttled(_ context.Context, wait time.Duration, _ ...connector.Use) {
	b.throttled = append(b.throttled, wait)
}

func serve(t *testing.T, handle http.HandlerFunc) (*rest.Client, rest.Call) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return &rest.Client{API: doors(), HTTP: server.Client(), Timeout: time.Minute, MostBytes: 1 << 10},
		rest.Call{Name: "/badges", URL: server.URL + "/badges?key=secret", Permission: "badges:read", On: "the site"}
}

func requireError(t *testing.T, err error, category connector.Category, message string) *connector.Error {
	t.Helper()
	var e *connector.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, category, e.Category, e.Message)
	require.Contains(t, e.Message, message)
	require.NotContains(t, e.Message, "secret")
	return e
}

func TestAnAnswerIsDecoded(t *testing.T) {
	t.Parallel()
	c, call := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"method":%q,"accept":%q,"authorization":%q,"extra":%q}`, r.Method, r.Header.Get("Accept"), r.Header.Get("Authorization"), r.Header.Get("X-Extra"))
	})
	call.Header = http.Header{"x-extra": {"1"}}
	var got map[string]string
	require.NoError(t, c.JSON(t.Context(), call, &got))
	require.Equal(t, map[string]string{"method": "GET", "accept": "application/json", "authorization": "", "extra": "1"}, got)
}

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]string{"renewed": "token 2", "never": "token 9"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls, tokens := 0, 1
			c, call := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				if r.Header.Get("Authorization") != "Bearer "+good {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				fmt.Fprint(w, `{}`)
			})
			c.Token = func(_ context.Context, fresh bool) (string, error) {
				if fresh {
					tokens++
				}
				return fmt.Sprintf("token %d", tokens), nil
			}
			err := c.JSON(t.Context(), call, &struct{}{})
			require.Equal(t, 2, calls)
			if good == "token 2" {
				require.NoError(t, err)
				return
			}
			requireError(t, err, connector.CredentialInvalid, "Doors refuses the credentials")
		})
	}
}

func TestTheBudgetIsAskedReleasedAndTold(t *testing.T) {
	t.Parallel()
	b := &budget{}
	var under atomic.Int32
	c, call := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		under.Store(b.under.Load())
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c.Budget, call.Uses = b, []connector.Use{{Scope: "all", Key: []string{"site"}}}
	e := requireError(t, c.JSON(t.Context(), call, nil), connector.Throttled, "Doors limits the rate of /badges")
	require.Equal(t, 7*time.Second, e.RetryAfter)
	require.Equal(t, []time.Duration{7 * time.Second}, b.throttled)
	require.EqualValues(t, 1, under.Load(), "the call is made with leave")
	require.Zero(t, b.under.Load(), "and the leave given back")

	b.refuse = &connector.Error{Category: connector.Throttled, Message: "later", RetryAfter: time.Hour}
	require.ErrorIs(t, c.JSON(t.Context(), call, nil), b.refuse)
	call.Uses = nil
	requireError(t, c.JSON(t.Context(), call, nil), connector.Throttled, "limits")
	require.EqualValues(t, 1, b.taken.Load(), "what does not count asks nobody")
}

func TestStatusesAreClassified(t *testing.T) {
	t.Parallel()
	header := func(retry string) http.Header {
		h := http.Header{}
		if retry != "" {
			h.Set("Retry-After", retry)
		}
		return h
	}
	for _, c := range []struct {
		status   int
		retry    string
		category connector.Category
	}{
		{401, "", connector.CredentialInvalid},
		{403, "", connector.PermissionDenied},
		{429, "", connector.Throttled},
		{429, "3", connector.Throttled},
		{503, "3", connector.Throttled},
		{503, "", connector.ProviderUnavailable},
		{500, "", connector.ProviderUnavailable},
		{404, "", connector.ProviderUnavailable},
		{302, "", connector.ProviderUnavailable},
	} {
		e := doors().Refusal("/badges", "badges:read", "the site", c.status, header(c.retry))
		require.Equal(t, c.category, e.Category, c.status)
		require.Equal(t, c.retry != "", e.RetryAfter == 3*time.Second, c.status)
	}
	e := doors().Refusal("/badges", "badges:read", "the site", 403, nil)
	require.Equal(t, "badges:read", e.Permission)
	require.Equal(t, "the site", e.On)
	require.Equal(t, "/badges was answered with HTTP status 502; check endpoint_url, or try later", doors().Refusal("/badges", "", "", 502, nil).Message)
	require.Equal(t, "/badges was answered with HTTP status 502; try later", rest.API{Provider: "Doors"}.Refusal("/badges", "", "", 502, nil).Message)
}

func TestAProvidersOwnRefusalsAreExplainedByTheConnector(t *testing.T) {
	t.Parallel()
	c, call := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "closed today")
	})
	own := errors.New("own")
	call.Refused = func(a rest.Answer) error {
		require.Equal(t, "closed today", string(a.Body))
		return own
	}
	require.ErrorIs(t, c.JSON(t.Context(), call, nil), own)
}

func TestAnswersOfAnotherForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, message string
	}{
		"no JSON":   {"<html>secret</html>", "/badges was answered in a form that is not Doors's"},
		"too large": {`{"a":"` + strings.Repeat("x", 1<<10) + `"}`, "the answer of /badges is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, call := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.body) })
			requireError(t, client.JSON(t.Context(), call, &struct{}{}), connector.ProviderUnavailable, c.message)
		})
	}
}

func TestAnAnswerThatIsCutOff(t *testing.T) {
	t.Parallel()
	c, call := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, `{"a":`)
	})
	requireError(t, c.JSON(t.Context(), call, &struct{}{}), connector.ProviderUnavailable, "was cut off")
}

// roundTrip is a transport of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAHostThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	c := &rest.Client{API: rest.API{Provider: "Doors", Settings: []string{"region", "endpoint_url"}}, Timeout: time.Minute, MostBytes: 1}
	call := rest.Call{Name: "/badges", URL: "https://doors.example/badges?key=secret"}
	failing := func(err error) {
		c.HTTP = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })}
	}
	failing(errors.New("refused"))
	requireError(t, c.JSON(t.Context(), call, nil), connector.NetworkUnreachable, "cannot reach doors.example; check region, endpoint_url and the worker's network")
	failing(&egress.BlockedError{Host: "doors.example", Reason: egress.ReasonPrivate})
	requireError(t, c.JSON(t.Context(), call, nil), connector.NetworkUnreachable, "--allow-private-networks")
	failing(&connector.Error{Category: connector.Throttled, Message: "the budget's"})
	requireError(t, c.JSON(t.Context(), call, nil), connector.Throttled, "the budget's")
	c.API.Settings = nil
	requireError(t, c.API.Unreachable(errors.New("refused")), connector.NetworkUnreachable, "cannot reach Doors; check the worker's network")
}

func TestTimeLimitAndCancelling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &rest.Client{API: doors(), Timeout: time.Minute, MostBytes: 1}
		c.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		call := rest.Call{Name: "/badges", URL: "https://doors.example/badges"}
		requireError(t, c.JSON(t.Context(), call, nil), connector.ProviderUnavailable, "/badges was not answered in 1m0s")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, c.JSON(ctx, call, nil), context.Canceled)
	})
}

func TestAURLThatIsNone(t *testing.T) {
	t.Parallel()
	c := &rest.Client{API: doors(), HTTP: http.DefaultClient, Timeout: time.Minute}
	requireError(t, c.JSON(t.Context(), rest.Call{Name: "/badges", URL: "://secret"}, nil), connector.Internal, "cannot be made")
}

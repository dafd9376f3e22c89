package oidc

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// Limits of what is fetched from the provider.
const (
	fetchTimeout = 10 * time.Second
	maxAnswer    = 1 << 20
	maxRedirects = 3
)

// unreachable says that the provider gave no usable answer.
type unreachable struct{ cause error }

func (u *unreachable) Error() string {
	return fmt.Sprintf("the identity provider gave no usable answer: %v", u.cause)
}

// Unwrap returns why.
func (u *unreachable) Unwrap() error { return u.cause }

// fetcher makes every failure to fetch an unreachable, a refusal too, so that it
// can be told from a token that is not good.
type fetcher struct {
	next http.RoundTripper
}

// RoundTrip fetches.
func (f fetcher) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, &unreachable{cause: err}
	}
	if res.StatusCode >= http.StatusBadRequest {
		res.Body.Close()
		return nil, &unreachable{cause: fmt.Errorf("%s answered %s", r.URL.Redacted(), res.Status)}
	}
	res.Body = limited{Reader: io.LimitReader(res.Body, maxAnswer), Closer: res.Body}
	return res, nil
}

type limited struct {
	io.Reader
	io.Closer
}

func newClient(allowPrivate bool) *http.Client {
	return &http.Client{
		Transport: fetcher{next: egress.NewTransport(egress.Policy{AllowPrivate: allowPrivate})}, Timeout: fetchTimeout,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= maxRedirects {
				return fmt.Errorf("stopped after %d redirects", maxRedirects)
			}
			if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
				return fmt.Errorf("refused a redirect from https to %s", r.URL.Scheme)
			}
			return nil
		},
	}
}

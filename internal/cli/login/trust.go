package login

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Limits of what is fetched from the provider.
const (
	maxAnswer    = 1 << 20
	maxRedirects = 3
)

// UnavailableError says that the provider gave no usable answer, so that trying
// again later may help.
type UnavailableError struct {
	// Issuer is the provider that was asked.
	Issuer string
	Cause  error
}

func (u *UnavailableError) Error() string {
	return fmt.Sprintf("no answer from the identity provider %s: %v", u.Issuer, u.Cause)
}

// Unwrap returns why.
func (u *UnavailableError) Unwrap() error { return u.Cause }

// Validate refuses a provider that nobody may be sent to: a server that was taken
// over could name any address.
func (p Provider) Validate() error {
	if p.ClientID == "" {
		return errors.New("the server names no client of the identity provider")
	}
	if err := trusted(p.Issuer); err != nil {
		return fmt.Errorf("the identity provider that the server names is not used: %w", err)
	}
	return nil
}

// trusted refuses an address that would hand what is sent to it to whoever is on
// the way, or that is no address of a server at all: a browser opens file: and
// javascript: as well.
func trusted(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil:
		return fmt.Errorf("%q is not the address of a server", address)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q is not https", address)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkEndpoints refuses a discovery document with an endpoint that is not
// trusted. Those that it does not have are left to the flow that needs them. That
// the document is the issuer's own has been checked by the library.
func checkEndpoints(found *oidc.Provider) error {
	var document struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		Device        string `json:"device_authorization_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
	}
	if err := found.Claims(&document); err != nil {
		return fmt.Errorf("read the discovery document: %w", err)
	}
	if document.Token == "" {
		return errors.New("the discovery document of the identity provider names no token_endpoint")
	}
	for _, endpoint := range []struct{ name, address string }{
		{"authorization_endpoint", document.Authorization},
		{"token_endpoint", document.Token},
		{"device_authorization_endpoint", document.Device},
		{"revocation_endpoint", document.Revocation},
	} {
		if endpoint.address == "" {
			continue
		}
		if err := trusted(endpoint.address); err != nil {
			return fmt.Errorf("the %s of the identity provider is not used: %w", endpoint.name, err)
		}
	}
	return nil
}

// newClient returns the client that everything at a provider is asked with.
func newClient(issuer string) *http.Client {
	return &http.Client{Transport: answers{issuer: issuer, next: http.DefaultTransport}, Timeout: requestTimeout, CheckRedirect: checkRedirect}
}

// checkRedirect follows what was moved, and nothing that carries a token or code.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet {
		return http.ErrUseLastResponse
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	if err := trusted(r.URL.String()); err != nil {
		return fmt.Errorf("refused a redirect: %w", err)
	}
	return nil
}

// answers tells a provider that cannot answer now from one that refuses, and cuts
// off answers without an end.
type answers struct {
	issuer string
	next   http.RoundTripper
}

// RoundTrip asks.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, &UnavailableError{Issuer: a.issuer, Cause: err}
	}
	if res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests {
		res.Body.Close()
		return nil, &UnavailableError{Issuer: a.issuer, Cause: fmt.Errorf("%s answered %s", r.URL.Redacted(), res.Status)}
	}
	if r.Method == http.MethodGet && res.StatusCode >= http.StatusBadRequest {
		// The library would quote the whole page.
		res.Body.Close()
		return nil, fmt.Errorf("%s answered %s", r.URL.Redacted(), res.Status)
	}
	res.Body = limited{Reader: io.LimitReader(res.Body, maxAnswer), Closer: res.Body}
	return res, nil
}

type limited struct {
	io.Reader
	io.Closer
}

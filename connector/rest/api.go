package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// API names a provider's API in messages.
type API struct {
	// Provider is the name people know, such as "Microsoft".
	Provider string
	// Settings are the fields of the configuration that lead to the API, such as
	// "endpoint_url": what to check when it does not answer.
	Settings []string
}

// Unreachable explains an error of an [http.Client]: the budget's refusal, an address
// that the worker may not reach, or a host that did not answer.
func (a API) Unreachable(err error) error {
	var known *connector.Error
	if errors.As(err, &known) {
		return known // the budget's, which comes through the client's error
	}
	var blocked *egress.BlockedError
	if errors.As(err, &blocked) {
		return &connector.Error{Category: connector.NetworkUnreachable, Message: blocked.Error(), Cause: err}
	}
	host := a.Provider
	var address *url.Error
	if errors.As(err, &address) {
		if u, parsed := url.Parse(address.URL); parsed == nil && u.Host != "" {
			host = u.Host
		}
	}
	check := strings.Join(append(append([]string{}, a.Settings...), "the worker's network"), ", ")
	if i := strings.LastIndex(check, ", "); i >= 0 {
		check = check[:i] + " and " + check[i+2:]
	}
	return &connector.Error{Category: connector.NetworkUnreachable, Message: "cannot reach " + host + "; check " + check, Cause: err}
}

// Refusal explains an answer by its HTTP status alone, for what the provider says no
// more of: 401, 403, 429, and 503 with Retry-After. Every other status is of a
// provider that is not available. call names the call, without parameters;
// permission is what it needs, on what.
func (a API) Refusal(call, permission, on string, status int, header http.Header) *connector.Error {
	e := &connector.Error{RetryAfter: connector.RetryAfter(header), Cause: fmt.Errorf("%s: HTTP status %d", call, status)}
	limited, _ := connector.RateRefused(&http.Response{StatusCode: status, Header: header})
	switch {
	case limited:
		e.Category, e.Message = connector.Throttled, a.Provider+" limits the rate of "+call
	case status == http.StatusUnauthorized:
		e.Category, e.Message = connector.CredentialInvalid, a.Provider+" refuses the credentials"
	case status == http.StatusForbidden:
		e.Category, e.Message, e.Permission, e.On = connector.PermissionDenied, "missing "+permission, permission, on
	default:
		e.Category = connector.ProviderUnavailable
		e.Message = fmt.Sprintf("%s was answered with HTTP status %d; %stry later", call, status, a.checkOr())
	}
	return e
}

// TokenRefusal explains an answer of the token endpoint that is an error (RFC 6749,
// 5.2).
func (a API) TokenRefusal(status int, header http.Header, body []byte) *connector.Error {
	var said struct {
		Error string `json:"error"`
	}
	e := &connector.Error{RetryAfter: connector.RetryAfter(header)}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		e.Category = connector.ProviderUnavailable
		e.Message = fmt.Sprintf("the token endpoint answered with HTTP status %d, not as %s does; %stry later", status, a.Provider, a.checkOr())
		if status == http.StatusTooManyRequests {
			e.Category, e.Message = connector.Throttled, a.Provider+" limits the rate of sign-ins"
		}
		return e
	}
	e.Cause = fmt.Errorf("token endpoint: HTTP status %d, %s", status, clip(said.Error))
	switch {
	case status == http.StatusTooManyRequests:
		e.Category, e.Message = connector.Throttled, a.Provider+" limits the rate of sign-ins"
	case status >= http.StatusInternalServerError || said.Error == "temporarily_unavailable" || said.Error == "server_error":
		e.Category, e.Message = connector.ProviderUnavailable, a.Provider+"'s token endpoint is not available"
	case said.Error == "invalid_request" || said.Error == "unauthorized_client" || said.Error == "invalid_scope" || said.Error == "unsupported_grant_type":
		e.Category, e.Message = connector.ScopeInvalid, a.Provider+" does not accept the request for a token; check "+strings.Join(append([]string{"client_id"}, a.Settings...), " and ")
	default:
		e.Category, e.Message = connector.CredentialInvalid, a.Provider+" refuses the credentials"
	}
	return e
}

// Unreadable says that an answer is not what the provider's documentation promises.
func (a API) Unreadable(call string, err error) error {
	return a.unavailable(call+" was answered in a form that is not "+a.Provider+"'s", err)
}

func (API) unavailable(message string, err error) error {
	return &connector.Error{Category: connector.ProviderUnavailable, Message: message, Cause: err}
}

// checkOr begins what people can do; nothing where no setting leads to the API.
func (a API) checkOr() string {
	if len(a.Settings) == 0 {
		return ""
	}
	return "check " + strings.Join(a.Settings, " and ") + ", or "
}

// clip bounds a code of the provider's for the log.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// errLicence marks what the tenant's licence does not include.
var errLicence = errors.New("the tenant has no licence for it")

// errStalePage marks a next link that Microsoft does not take any more.
var errStalePage = errors.New("the next link has expired")

// errGone marks an object that was there when it was listed.
var errGone = errors.New("the object is gone")

// signInError explains a refusal of the token endpoint. Microsoft says that the
// numbers may change, so that "error" decides where none is known; the texts are
// not passed on.
func signInError(status int, header http.Header, body []byte) error {
	var said struct {
		Error string `json:"error"`
		Codes []int  `json:"error_codes"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return provider().TokenRefusal(status, header, body)
	}
	code := 0
	if len(said.Codes) > 0 {
		code = said.Codes[0]
	}
	cause := fmt.Errorf("token endpoint: %s, AADSTS%d", records.Clip(said.Error, 64), code)
	fail := func(c connector.Category, message string) error {
		if code != 0 {
			message += fmt.Sprintf(" (AADSTS%d)", code)
		}
		return &connector.Error{Category: c, Message: message, Cause: cause, RetryAfter: connector.RetryAfter(header)}
	}
	switch code {
	case 7000215, 50012:
		return fail(connector.CredentialInvalid, "Microsoft refuses the client secret; enter its value, which is shown once, and not its id")
	case 7000218, 700027:
		return fail(connector.CredentialInvalid, "Microsoft refuses the certificate or secret; check that it is registered with the application")
	case 7000222:
		return fail(connector.CredentialExpired, "the client secret has expired; make a new one in the app registration")
	case 700016:
		return fail(connector.ScopeInvalid, "the application is not in this tenant; check client_id and tenant_id")
	case 90002, 900382, 90038:
		return fail(connector.ScopeInvalid, "Microsoft does not know the tenant in this cloud; check tenant_id and cloud")
	case 500011, 65001, 90094:
		return fail(connector.ConsentRequired, "an administrator of the tenant has to consent to the application")
	case 70011, 28002, 700022, 700023, 1002012:
		return fail(connector.ScopeInvalid, "Microsoft has no such API in this cloud; check cloud")
	case 90055:
		return fail(connector.Throttled, "Microsoft limits the rate of sign-ins")
	}
	plain := provider().TokenRefusal(status, header, body)
	switch {
	case plain.Retryable():
	case said.Error == "unauthorized_client" || said.Error == "invalid_tenant" || said.Error == "invalid_request":
		return fail(connector.ScopeInvalid, "Microsoft does not accept the request for a token; check tenant_id, client_id and cloud")
	case said.Error == "consent_required" || said.Error == "interaction_required" || said.Error == "invalid_grant":
		return fail(connector.ConsentRequired, "an administrator of the tenant has to consent to the application")
	}
	return fail(plain.Category, plain.Message)
}

// refusal explains an answer of Graph or Resource Manager that is an error. roles
// are the application permissions of the token.
func refusal(c call, status int, header http.Header, body []byte, roles []string) error {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	readable := json.Unmarshal(body, &said) == nil && said.Error.Code != ""
	code := said.Error.Code
	fail := func(category connector.Category, message string) *connector.Error {
		return &connector.Error{Category: category, Message: message, RetryAfter: connector.RetryAfter(header), Cause: fmt.Errorf("%s: HTTP status %d, %s", c.name(), status, records.Clip(code, 64))}
	}
	licence := func() error {
		e := fail(connector.ScopeInvalid, "the tenant has no licence for "+c.name()+"; switch "+c.option()+" off")
		e.Cause = fmt.Errorf("%w: %w", errLicence, e.Cause)
		return e
	}
	switch {
	case status == http.StatusTooManyRequests:
		return fail(connector.Throttled, "Microsoft limits the rate of "+c.name())
	case status == http.StatusUnauthorized:
		return fail(connector.CredentialExpired, "Microsoft refuses the access token; check the worker's clock, or the credentials")
	case unlicensed(code):
		return licence()
	case status == http.StatusForbidden:
		return denied(c, fail, said.Error.Message, roles)
	case status == http.StatusNotFound && readable:
		e := fail(connector.ScopeInvalid, c.name()+" is not there any more")
		e.Cause = fmt.Errorf("%w: %w", errGone, e.Cause)
		return e
	case code == "Directory_ExpiredPageToken" || code == "InvalidSkipToken":
		e := fail(connector.ProviderUnavailable, "the list of "+c.name()+" has to be read again")
		e.Cause = fmt.Errorf("%w: %w", errStalePage, e.Cause)
		return e
	}
	return fail(connector.ProviderUnavailable, fmt.Sprintf("%s was answered with HTTP status %d; check endpoint_url and cloud, or try later", c.name(), status))
}

// unlicensed reports whether a code says that the tenant lacks a licence.
func unlicensed(code string) bool {
	return slices.Contains([]string{"AadPremiumLicenseRequired", "Authentication_RequestFromNonPremiumTenantOrB2CTenant"}, code)
}

// denied explains a 403. Resource Manager names the action and the scope in its
// text; they are taken only in their own form.
func denied(c call, fail func(connector.Category, string) *connector.Error, text string, roles []string) error {
	permission, on := c.permission, c.on
	if c.service == serviceARM {
		if action := quoted(text, "perform action '"); actionName(action) {
			permission = action
		}
	} else if granted(roles, permission) {
		return fail(connector.ConsentRequired, permission+" is granted and Microsoft still refuses "+c.name()+"; consent anew, wait until it has taken effect, and check the tenant's licence")
	}
	e := fail(connector.PermissionDenied, "missing "+permission)
	e.Permission, e.On = permission, on
	return e
}

// quoted returns what follows a mark up to the next apostrophe.
func quoted(text, mark string) string {
	_, rest, ok := strings.Cut(text, mark)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, "'")
	return value
}

// actionName reports whether text has the form of an action of Resource Manager.
func actionName(text string) bool {
	return len(text) < 128 && strings.HasPrefix(text, "Microsoft.") && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '.' && r != '/' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// isDenied reports whether err is a missing permission, consent or licence, which
// makes a gap and does not end a read.
func isDenied(err error) (*connector.Error, bool) {
	var e *connector.Error
	if !errors.As(err, &e) {
		return nil, false
	}
	switch {
	case e.Category == connector.PermissionDenied, e.Category == connector.ConsentRequired:
		return e, true
	case e.Category == connector.ScopeInvalid && errors.Is(err, errLicence):
		return e, true
	}
	return nil, false
}

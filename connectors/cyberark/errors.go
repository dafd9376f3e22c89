package cyberark

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// errRefusedToken marks a call whose token was refused though it was new.
var errRefusedToken = errors.New("the token is refused")

func isRefusedToken(err error) bool { return errors.Is(err, errRefusedToken) }

// beginsAsJSON explains an answer that is none of the API's, such as the page on which
// people sign in.
func beginsAsJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset == 1 {
		return &connector.Error{Category: connector.ScopeInvalid, Message: "the address answers with a web page and not as CyberArk's API does; check tenant_url", Cause: err}
	}
	return err
}

// refused explains an answer with the status of an error.
func refused(of call, a rest.Answer) error {
	switch a.Status {
	case http.StatusUnauthorized:
		return &connector.Error{
			Category: connector.CredentialExpired, Message: "CyberArk refuses the access token; check the worker's clock, and the service user",
			Cause: fmt.Errorf("%w: %s", errRefusedToken, of.name()),
		}
	case http.StatusForbidden:
		if of.pattern == patternWhoAmI {
			return &connector.Error{Category: connector.ScopeInvalid, Message: "the app's scope does not cover " + of.name() + "; add the pattern " + patternWhoAmI}
		}
		return uncovered(of)
	}
	return provider().Refusal(of.name(), of.pattern, "the scope", a.Status, a.Header)
}

// uncovered is a path that the app's scope has no pattern for.
func uncovered(of call) error {
	return &connector.Error{Category: connector.PermissionDenied, Message: "missing " + of.pattern, Permission: of.pattern, On: "the scope", Cause: fmt.Errorf("%s: refused", of.name())}
}

// lacking is an administrative right that the service user does not have.
func lacking(right string) error {
	return &connector.Error{Category: connector.PermissionDenied, Message: "missing " + right, Permission: right, On: "the service user"}
}

// failed explains an answer that says of itself that it is an error. The texts are
// not passed on: they may hold names.
func failed(of call, message, id *string) error {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	both := strings.ToLower(text(id) + " " + text(message))
	if of.right != "" && (strings.Contains(both, "unauthorized") || strings.Contains(both, "not authorized")) {
		return lacking(of.right)
	}
	return &connector.Error{
		Category: connector.ProviderUnavailable, Message: of.name() + " was answered with an error of CyberArk's; try later",
		Cause: fmt.Errorf("%s: %s", of.name(), records.Clip(text(id), 64)),
	}
}

// isDenied reports whether err is a missing permission, which makes a gap and does
// not end a read.
func isDenied(err error) (*connector.Error, bool) {
	var e *connector.Error
	if errors.As(err, &e) && e.Category == connector.PermissionDenied {
		return e, true
	}
	return nil, false
}

// gapOrFail turns what may not be read into a gap and returns any other error.
func gapOrFail(b *records.Writer, err error) error {
	if e, denied := isDenied(err); denied {
		b.Gap(*e)
		return nil
	}
	return err
}

package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/rest"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// errServiceControlPolicy marks a denial that no policy in the account can lift.
var errServiceControlPolicy = errors.New("denied by a service control policy")

// provider names AWS in messages, and what of the configuration leads to it.
func provider() rest.API {
	return rest.API{Provider: "AWS", Settings: []string{"region", "endpoint_url"}}
}

// classify turns an error of the SDK into the contract's terms. on is where
// the call was made, such as "account 123456789012". The message is built from
// the operation's name and the error's code, never from AWS's own text, which
// may repeat parts of the request. A cancelled context stays itself.
func classify(ctx context.Context, err error, on string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *connector.Error
	if errors.As(err, &known) {
		return known
	}
	op := innermostOperation(err)
	call := permissionOf(op)
	fail := func(c connector.Category, message string) *connector.Error {
		return &connector.Error{Category: c, Message: message, Cause: err}
	}
	denied := func() *connector.Error {
		e := fail(connector.PermissionDenied, "missing "+call)
		if strings.Contains(err.Error(), "service control policy") {
			e.Message = "a service control policy denies " + call
			e.Cause = fmt.Errorf("%w: %w", errServiceControlPolicy, err)
		}
		e.Permission, e.On = call, on
		return e
	}

	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure", "NotAuthorized", "InvalidToken":
			return fail(connector.CredentialInvalid, "AWS does not know the access key; check access_key_id, or make a new key")
		case "SignatureDoesNotMatch", "InvalidSignatureException":
			return fail(connector.CredentialInvalid, "the secret access key does not belong to the access key id; enter the key again")
		case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired":
			return fail(connector.CredentialExpired, "the AWS session has expired; renew it, and check the worker's clock")
		case "RequestTimeTooSkewed":
			return fail(connector.CredentialInvalid, "AWS refuses the signature because the worker's clock is wrong")
		case "AccessDenied", "AccessDeniedException", "AccessDeniedForDependencyException", "UnauthorizedOperation", "AuthorizationError", "Forbidden":
			return denied()
		case "AWSOrganizationsNotInUseException":
			return fail(connector.ScopeInvalid, "the account is not in an organisation; switch organizations_enabled off")
		case "RegionDisabledException":
			return fail(connector.ScopeInvalid, "the region is not enabled in "+on)
		}
	}
	if refused, wait := throttled(err); refused {
		e := fail(connector.Throttled, "AWS limits the rate of "+call)
		e.RetryAfter = wait
		return e
	}
	switch {
	case status == http.StatusForbidden:
		return denied()
	case status == http.StatusUnauthorized:
		return fail(connector.CredentialInvalid, "AWS refuses the credentials")
	case status != 0:
		e := fail(connector.ProviderUnavailable, fmt.Sprintf("%s was answered with HTTP status %d, not as AWS answers; check endpoint_url, or try later", call, status))
		e.RetryAfter = retryAfter(response)
		return e
	}
	var blocked *egress.BlockedError
	var send *smithyhttp.RequestSendError
	var address *url.Error
	if errors.As(err, &blocked) || errors.As(err, &send) || errors.As(err, &address) {
		return provider().Unreachable(err)
	}
	if op == nil || strings.Contains(err.Error(), "failed to refresh cached credentials") {
		return fail(connector.CredentialInvalid, "the worker's environment provides no AWS credentials")
	}
	return fail(connector.ProviderUnavailable, call+" was answered in a form that is not AWS's")
}

// innermostOperation finds the call that failed: when credentials cannot be
// had, that is AssumeRole and not the call that needed them.
func innermostOperation(err error) *smithy.OperationError {
	var found *smithy.OperationError
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			return found
		}
		found, err = op, op.Err
	}
}

// permissionOf names the IAM action of an operation. It is the prefix and the
// operation's name, but for a few.
func permissionOf(op *smithy.OperationError) string {
	if op == nil {
		return "the call"
	}
	if op.Service() == "S3" && op.Operation() == "ListBuckets" {
		return permListBuckets
	}
	prefix := strings.ToLower(op.Service())
	if op.Service() == "SSO Admin" {
		prefix = "sso"
	}
	return prefix + ":" + op.Operation()
}

// retryAfter is how long an answer asks to wait; zero when it does not say.
func retryAfter(r *awshttp.ResponseError) time.Duration {
	if r == nil || r.Response == nil {
		return 0
	}
	return connector.RetryAfter(r.Response.Header)
}

// isDenied reports whether err is a missing permission, which makes a gap and
// does not end a read.
func isDenied(err error) (*connector.Error, bool) {
	var e *connector.Error
	if errors.As(err, &e) && e.Category == connector.PermissionDenied {
		return e, true
	}
	return nil, false
}

// hasCode reports whether err is an answer of AWS with one of the codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, c := range codes {
		if api.ErrorCode() == c {
			return true
		}
	}
	return false
}

func inAccount(account string) string { return "account " + account }

package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The throttle scopes. AWS counts by account and service, and by region where the
// service is regional.
const (
	scopeIAM            = "iam"
	scopeSTS            = "sts"
	scopeOrganizations  = "organizations"
	scopeIdentityCenter = "identity_center"
	scopeS3             = "s3"
	scopeLambda         = "lambda"
	scopeEndpoint       = "endpoint"
)

// throttleScopes stay below what AWS publishes, since the account's other
// programs call, too: Lambda Developer Guide, "Lambda quotas" (15 a second);
// Organizations User Guide, "Throttling limits"; IAM Identity Center User Guide,
// "Quotas" (20 a second, all calls together); IAM User Guide, "IAM and AWS STS
// quotas" (600 a second for STS). For IAM and S3's settings AWS publishes none:
// theirs are where the budget starts from before AWS says that it is too much.
func throttleScopes() []connector.ThrottleScope {
	perSecond := func(calls, burst int) connector.ThrottleLimit {
		return connector.ThrottleLimit{Calls: calls, PerSeconds: 1, Burst: burst}
	}
	return []connector.ThrottleScope{
		{Name: scopeIAM, Description: "IAM", Key: []string{"account"}, Limit: perSecond(10, 20)},
		{Name: scopeSTS, Description: "Assuming roles", Key: []string{"account", "region"}, Limit: perSecond(100, 100)},
		{Name: scopeOrganizations, Description: "Organizations", Key: []string{"account"}, Limit: perSecond(5, 8)},
		{Name: scopeIdentityCenter, Description: "Identity Center and its directory", Key: []string{"account", "region"}, Limit: perSecond(12, 8)},
		{Name: scopeS3, Description: "S3 buckets and their policies", Key: []string{"account", "region"}, Limit: perSecond(50, 50)},
		{Name: scopeLambda, Description: "Lambda functions and their policies", Key: []string{"account", "region"}, Limit: perSecond(10, 5)},
		{
			Name: scopeEndpoint, Description: "Any service at a custom endpoint, whose limits are not AWS's",
			Key: []string{"endpoint", "account", "service"}, Limit: perSecond(500, 500),
		},
	}
}

// scopeOf returns the scope of a service by the id it has in the SDK.
func scopeOf(serviceID string) (name string, regional bool) {
	switch serviceID {
	case "IAM":
		return scopeIAM, false
	case "STS":
		return scopeSTS, true
	case "Organizations":
		return scopeOrganizations, false
	case "SSO Admin", "identitystore":
		return scopeIdentityCenter, true
	case "S3":
		return scopeS3, true
	case "Lambda":
		return scopeLambda, true
	}
	return "", false
}

// meter has every attempt of every call ask the budget of the account that makes
// it. Until AWS has said which account that is, nobody's budget is taken from:
// these are the call or two by which a session learns it.
type meter struct {
	// budget is nil when nobody counts.
	budget connector.Budget
	// endpoint is the host of a custom endpoint, empty for AWS itself.
	endpoint string
	account  *atomic.Pointer[string]
}

func newMeter(budget connector.Budget, endpointURL string) meter {
	m := meter{budget: budget, account: new(atomic.Pointer[string])}
	if u, err := url.Parse(endpointURL); err == nil {
		m.endpoint = u.Host
	}
	return m
}

// in returns the meter for calls that an account makes.
func (m meter) in(account string) meter {
	m.account = new(atomic.Pointer[string])
	m.account.Store(&account)
	return m
}

// on makes calls with cfg go through the meter.
func (m meter) on(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		// Within an attempt, after the credentials were had, whose own calls take
		// from other budgets, and before signing, because a signature gets old.
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Budget", m.attempt), "Signing", middleware.Before)
	}}
	return cfg
}

func (m meter) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	use, ok := m.use(ctx)
	if !ok {
		return next.HandleFinalize(ctx, in)
	}
	release, err := m.budget.Take(ctx, use)
	if err != nil {
		return out, metadata, fmt.Errorf("wait for the budget of %s: %w", use.Scope, err)
	}
	defer release()
	out, metadata, err = next.HandleFinalize(ctx, in)
	if refused, wait := throttled(err); refused {
		m.budget.Throttled(ctx, wait, use)
	}
	return out, metadata, err
}

func (m meter) use(ctx context.Context) (use connector.Use, ok bool) {
	account := m.account.Load()
	service := awsmiddleware.GetServiceID(ctx)
	scope, regional := scopeOf(service)
	switch {
	case m.budget == nil || account == nil || scope == "":
		return use, false
	case m.endpoint != "":
		return connector.Use{Scope: scopeEndpoint, Key: []string{m.endpoint, *account, scope}}, true
	case regional:
		return connector.Use{Scope: scope, Key: []string{*account, awsmiddleware.GetRegion(ctx)}}, true
	}
	return connector.Use{Scope: scope, Key: []string{*account}}, true
}

// backoff waits otherwise as long as ordinary says.
func (m meter) backoff(ordinary retry.BackoffDelayer) retry.BackoffDelayer {
	if m.budget == nil {
		return ordinary
	}
	return retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
		if refused, _ := throttled(err); refused {
			return 0, nil
		}
		return ordinary.BackoffDelay(attempt, err)
	})
}

// throttled reports whether AWS refused a call because of its rate, and how long
// it asked to wait; zero when it did not say.
func throttled(err error) (refused bool, retry time.Duration) {
	var response *awshttp.ResponseError
	errors.As(err, &response)
	var api smithy.APIError
	if errors.As(err, &api) && throttlingCode(api.ErrorCode()) || response != nil && response.HTTPStatusCode() == 429 {
		return true, retryAfter(response)
	}
	return false, 0
}

// throttlingCode reports whether AWS says by the code that calls come too fast.
func throttlingCode(code string) bool {
	switch code {
	case "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
		"RequestThrottled", "RequestThrottledException", "BandwidthLimitExceeded":
		return true
	}
	return false
}

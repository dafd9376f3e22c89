package aws

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

const (
	// maxAttempts keeps the SDK's own retries to blips; waiting longer is the
	// runtime's work, which keeps the lease meanwhile.
	maxAttempts = 3
	maxBackoff  = 2 * time.Second
	// credentialSlack renews assumed credentials before AWS refuses them.
	credentialSlack = time.Minute
	sessionName     = "gatehouse-discovery"
)

// clients holds one SDK configuration per account that is entered.
type clients struct {
	configuration configuration
	meter         meter
	base          aws.Config
	members       map[string]aws.Config
	closed        atomic.Bool
}

func newClients(ctx context.Context, c configuration, httpClient *http.Client, m meter) (*clients, error) {
	if httpClient == nil {
		return nil, &connector.Error{Category: connector.Internal, Message: "the session was opened without an HTTP client"}
	}
	retryer := func() aws.Retryer { return newRetryer(m) }
	base := aws.Config{Region: c.Region, HTTPClient: wholeAnswers{httpClient}, Retryer: retryer}
	if c.AccessKeyID != "" {
		base.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	} else {
		// Ambient credentials may come from the machine's metadata service, which
		// the session's client rightly does not reach: the SDK finds them with a
		// client of its own. No part of where it looks comes from the connection.
		loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Region), config.WithRetryer(retryer))
		if err != nil {
			return nil, &connector.Error{Category: connector.CredentialInvalid, Message: "the worker's environment holds no usable AWS configuration", Cause: err}
		}
		loaded.HTTPClient = base.HTTPClient
		base = loaded
	}
	if c.EndpointURL != "" {
		base.BaseEndpoint = aws.String(c.EndpointURL)
	}
	cl := &clients{configuration: c, meter: m, members: map[string]aws.Config{}}
	if c.AuthMode == authAssumeRole {
		base = cl.assuming(base, c.RoleARN)
	}
	cl.base = m.on(base)
	return cl, nil
}

// assuming returns cfg with the credentials of a role that cfg's may assume.
func (c *clients) assuming(cfg aws.Config, roleARN string) aws.Config {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName
		if c.configuration.ExternalID != "" {
			o.ExternalID = aws.String(c.configuration.ExternalID)
		}
	})
	cache := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = credentialSlack })
	out := cfg.Copy()
	out.Credentials = cache
	out.Retryer = func() aws.Retryer { return newRetryer(c.meter, renewal{cache}) }
	return out
}

// newRetryer retries what the SDK does by default, and what first says. What AWS
// refused because of its rate is tried again when the meter's budget allows it,
// which knows of the other workers' calls.
func newRetryer(m meter, first ...retry.IsErrorRetryable) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.Backoff = m.backoff(retry.NewExponentialJitterBackoff(maxBackoff))
		o.Retryables = append(append(first, retry.IsErrorRetryableFunc(refused)), o.Retryables...)
	})
}

// refused has calls to addresses that the worker may not reach made once only.
func refused(err error) aws.Ternary {
	var blocked *egress.BlockedError
	if errors.As(err, &blocked) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// renewal has a role assumed anew when AWS calls its credentials expired
// before their time, as it does after a role's sessions were revoked. Those
// that run out in time are renewed by the cache itself. The SDK asks for
// credentials again on every attempt.
type renewal struct {
	cache *aws.CredentialsCache
}

// IsErrorRetryable drops expired credentials and has the call made again.
func (r renewal) IsErrorRetryable(err error) aws.Ternary {
	if !hasCode(err, "ExpiredToken", "ExpiredTokenException") {
		return aws.UnknownTernary
	}
	r.cache.Invalidate()
	return aws.TrueTernary
}

// enterable returns the configuration for calls in an account. own is the
// account of the connection's credentials, which needs no other role.
func (c *clients) enterable(own, account string) aws.Config {
	if account == own {
		return c.base
	}
	cfg, ok := c.members[account]
	if !ok {
		cfg = c.meter.in(account).on(c.assuming(c.base, c.memberRoleARN(account)))
		c.members[account] = cfg
	}
	return cfg
}

func (c *clients) memberRoleARN(account string) string {
	return "arn:" + c.configuration.Partition + ":iam::" + account + ":role/" + c.configuration.MemberRoleName
}

func (c *clients) sts() *sts.Client                     { return sts.NewFromConfig(c.base) }
func (c *clients) organizations() *organizations.Client { return organizations.NewFromConfig(c.base) }

func (c *clients) ssoAdmin() *ssoadmin.Client {
	return ssoadmin.NewFromConfig(c.base, func(o *ssoadmin.Options) { o.Region = c.configuration.IdentityCenterRegion })
}

func (c *clients) identityStore() *identitystore.Client {
	return identitystore.NewFromConfig(c.base, func(o *identitystore.Options) { o.Region = c.configuration.IdentityCenterRegion })
}

func iamClient(cfg aws.Config) *iam.Client       { return iam.NewFromConfig(cfg) }
func lambdaClient(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg) }

// s3Client addresses buckets by path at a custom endpoint, whose host name
// cannot be expected to resolve with a bucket in front.
func s3Client(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil })
}

func (c *clients) close() { c.closed.Store(true) }

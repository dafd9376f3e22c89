package awsestate

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// Estate is a simulated organisation and a way to it that remembers answers.
type Estate struct {
	simulator *simulator.Simulator
	server    *httptest.Server
	url       string
	summary   estate.Summary
	accounts  []string
	playback  *playback
}

// New serves an organisation of so many people until Close.
func New(ctx context.Context, people int) (*Estate, error) {
	s, err := simulator.New(simulator.Options{People: people, Seed: 1})
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(s.Handler())
	e := &Estate{simulator: s, server: server, url: server.URL, summary: s.Summary(), playback: newPlayback()}
	if err := e.listAccounts(ctx); err != nil {
		server.Close()
		return nil, err
	}
	return e, nil
}

// Close ends the simulator.
func (e *Estate) Close() { e.server.Close() }

// httpClient is the SDK's view of a transport.
type httpClient struct{ transport http.RoundTripper }

// Do implements aws.HTTPClient.
func (c httpClient) Do(r *http.Request) (*http.Response, error) { return c.transport.RoundTrip(r) }

func (e *Estate) listAccounts(ctx context.Context) error {
	client := organizations.NewFromConfig(aws.Config{
		Region: e.summary.Region, BaseEndpoint: aws.String(e.url), HTTPClient: httpClient{http.DefaultTransport},
		Credentials: credentials.NewStaticCredentialsProvider(e.summary.Auditor.AccessKeyID, e.summary.Auditor.SecretAccessKey, ""),
	})
	pages := organizations.NewListAccountsPaginator(client, &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		for _, a := range page.Accounts {
			if a.State == types.AccountStateActive {
				e.accounts = append(e.accounts, aws.ToString(a.Id))
			}
		}
	}
	return nil
}

// Calls tells calls of operations that list many things from calls of those that
// AWS offers for one thing only.
type Calls struct {
	Bulk, OneByOne int
}

// All is every call.
func (c Calls) All() int { return c.Bulk + c.OneByOne }

// Calls counts what fn asks the simulator for.
func (e *Estate) Calls(fn func() error) (Calls, error) {
	before := e.simulator.Requests()
	if err := fn(); err != nil {
		return Calls{}, err
	}
	var made Calls
	for operation, n := range e.simulator.Requests() {
		n -= before[operation]
		switch operation {
		case "s3:GetBucketPolicy", "lambda:GetPolicy", "identitystore:ListGroupMemberships", "sso:ListAccountAssignments", "sso:DescribePermissionSet":
			made.OneByOne += n
		default:
			made.Bulk += n
		}
	}
	return made, nil
}

// Replayed fails when something was asked of the simulator since the last call.
func (e *Estate) Replayed() error {
	if n := e.playback.asked(); n > 0 {
		return fmt.Errorf("%d requests were not played back", n)
	}
	return nil
}

package aws_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// recorder keeps the bodies of all answers.
type recorder struct {
	next   http.RoundTripper
	bodies [][]byte
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	r.bodies = append(r.bodies, body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// TestSameSeedSameBytes asks two simulators the same and compares what came
// over the wire.
func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	ask := func(seed int64) [][]byte {
		b := setup(t, aws.Options{People: 1000, Seed: seed})
		recorded := &recorder{next: plainBody{http.DefaultTransport}}
		cfg := b.auditor()
		cfg.HTTPClient = &http.Client{Transport: recorded}
		// One at a time and in order, since identifiers number the requests.
		pager := iam.NewGetAccountAuthorizationDetailsPaginator(iam.NewFromConfig(cfg), &iam.GetAccountAuthorizationDetailsInput{MaxItems: sdk.Int32(20)})
		for pager.HasMorePages() {
			_, err := pager.NextPage(context.Background())
			require.NoError(t, err)
		}
		anyCall(cfg)
		return recorded.bodies
	}
	first := ask(42)
	require.Greater(t, len(first), 8)
	require.Equal(t, first, ask(42))
	require.NotEqual(t, first, ask(43))
}

func TestServeStopsWithItsContext(t *testing.T) {
	t.Parallel()
	simulator, err := aws.New(aws.Options{People: 5, Seed: 1})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- simulator.Serve(ctx, listener) }()
	address := "http://" + listener.Addr().String()
	require.Equal(t, http.StatusOK, control(t, "GET", address+"/_simulator/requests", "", nil))
	cancel()
	require.NoError(t, <-served)
	_, err = net.DialTimeout("tcp", listener.Addr().String(), time.Second)
	require.Error(t, err)
}

func TestServeTellsABrokenListener(t *testing.T) {
	t.Parallel()
	simulator, err := aws.New(aws.Options{People: 5, Seed: 1})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.Error(t, simulator.Serve(context.Background(), listener))
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	_, err := aws.New(aws.Options{People: 0})
	require.Error(t, err)
	_, err = aws.New(aws.Options{People: 10, Faults: []aws.Fault{{Kind: "explode"}}})
	require.Error(t, err)
}

// TestRequestsThatAreNotOfAnSDK sends what no client should and looks for a
// plain refusal.
func TestRequestsThatAreNotOfAnSDK(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 5, Seed: 1})
	for name, c := range map[string]struct {
		method, path, body, header string
		status                     int
		contains                   string
	}{
		"unsigned":        {"POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", "", 403, "<Code>MissingAuthenticationToken</Code>"},
		"unknown action":  {"POST", "/", "Action=Explode&Version=2010-05-08", "", 400, "<Code>InvalidAction</Code>"},
		"no bucket call":  {"PUT", "/bucket/key", "x", "", 501, "<Code>NotImplemented</Code>"},
		"garbled header":  {"POST", "/", "Action=GetCallerIdentity", "AWS4-HMAC-SHA256 Credential=a/b", 403, "MissingAuthenticationToken"},
		"other service":   {"GET", "/2015-03-31/functions", "", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=00", 403, "Credential should be scoped to correct service"},
		"old s3 greeting": {"GET", "/", "", "", 403, "<Code>AccessDenied</Code>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(context.Background(), c.method, b.url+c.path, bytes.NewBufferString(c.body))
			require.NoError(t, err)
			request.Header.Set("Authorization", c.header)
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, c.status, response.StatusCode)
			require.Contains(t, string(body), c.contains)
		})
	}
}

package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

func TestThrottlingInEachServicesWords(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1, Faults: []aws.Fault{{Kind: aws.FaultThrottle}}})
	requireCodes(t, anyCall(b.auditor()), map[string]string{
		"sts": "Throttling", "iam": "Throttling", "organizations": "TooManyRequestsException", "sso": "ThrottlingException",
		"identitystore": "ThrottlingException", "s3": "SlowDown", "lambda": "TooManyRequestsException",
	})
}

func TestUnavailableInEachServicesWords(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1, Faults: []aws.Fault{{Kind: aws.FaultUnavailable}}})
	requireCodes(t, anyCall(b.auditor()), map[string]string{
		"sts": "ServiceUnavailable", "iam": "ServiceUnavailable", "organizations": "ServiceException", "sso": "InternalServerException",
		"identitystore": "InternalServerException", "s3": "ServiceUnavailable", "lambda": "ServiceException",
	})
}

func TestBrokenAnswersAreNoAnswers(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1})
	cfg := b.auditor()
	_, err := b.AddFault(aws.Fault{Kind: aws.FaultBroken})
	require.NoError(t, err)
	errs := anyCall(cfg)
	delete(errs, "identitystore") // the store asked for does not exist; errors are never broken
	for service, err := range errs {
		require.Error(t, err, service)
	}
	b.ClearFaults()
	for _, service := range []string{"sts", "iam", "organizations", "sso", "s3", "lambda"} {
		require.NoError(t, anyCall(cfg)[service], service)
	}
}

// outcomes makes n calls to IAM and says which of them failed.
func outcomes(t *testing.T, client *iam.Client, n int) []bool {
	t.Helper()
	failed := make([]bool, n)
	for i := range failed {
		_, err := client.ListUsers(context.Background(), &iam.ListUsersInput{})
		failed[i] = err != nil
	}
	return failed
}

func TestWhichCallsAreHit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault aws.Fault
		want  []bool
	}{
		"every third":     {aws.Fault{Kind: aws.FaultThrottle, Every: 3}, []bool{false, false, true, false, false, true}},
		"a storm of two":  {aws.Fault{Kind: aws.FaultThrottle, After: 1, Times: 2}, []bool{false, true, true, false, false, false}},
		"another service": {aws.Fault{Kind: aws.FaultThrottle, Service: "s3"}, make([]bool, 6)},
		"another account": {aws.Fault{Kind: aws.FaultThrottle, Account: "000000000000"}, make([]bool, 6)},
		"the operation":   {aws.Fault{Kind: aws.FaultThrottle, Service: "iam", Operation: "ListUsers", Times: 1}, []bool{true, false, false, false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, aws.Options{People: 10, Seed: 1, Faults: []aws.Fault{c.fault}})
			require.Equal(t, c.want, outcomes(t, iam.NewFromConfig(b.auditor()), 6))
		})
	}
}

func TestSessionsExpireAfterSomeCalls(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1, Faults: []aws.Fault{{Kind: aws.FaultExpire, After: 2}}})
	for range 2 { // a new session has new calls
		client := iam.NewFromConfig(b.member(t, b.summary.AccountIDs[1]))
		require.Equal(t, []bool{false, false, true, true}, outcomes(t, client, 4))
		_, err := client.ListUsers(context.Background(), &iam.ListUsersInput{})
		requireCode(t, err, "ExpiredToken")
	}
}

func TestDenialByControlPolicy(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1, Faults: []aws.Fault{{Kind: aws.FaultDeny, Service: "iam", Operation: "ListUsers", ControlPolicy: true}}})
	errs := anyCall(b.auditor())
	require.Contains(t, requireCode(t, errs["iam"], "AccessDenied").ErrorMessage(), "with an explicit deny in a service control policy")
	require.NoError(t, errs["s3"])
}

func TestSlowAnswersOutlastAnImpatientClient(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1, Faults: []aws.Fault{{Kind: aws.FaultSlow, DelayMilliseconds: 600_000, Times: 1}}})
	client := iam.NewFromConfig(b.auditor())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		_, err := client.ListUsers(ctx, &iam.ListUsersInput{})
		answered <- err
	}()
	require.Eventually(t, func() bool { return b.Faults()[0].Hits == 1 }, time.Minute, time.Millisecond)
	require.Empty(t, answered)
	cancel()
	require.ErrorIs(t, <-answered, context.Canceled)
	_, err := client.ListUsers(context.Background(), &iam.ListUsersInput{})
	require.NoError(t, err)
}

// control calls the simulator's own interface.
func control(t *testing.T, method, url, body string, into any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	if into != nil {
		require.NoError(t, json.NewDecoder(response.Body).Decode(into))
	}
	return response.StatusCode
}

func TestControl(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 1})
	client := iam.NewFromConfig(b.auditor())

	var added aws.Fault
	require.Equal(t, http.StatusCreated, control(t, "POST", b.url+"/_simulator/faults", `{"kind":"throttle","service":"iam"}`, &added))
	require.Equal(t, []bool{true}, outcomes(t, client, 1))
	var listed []aws.Fault
	require.Equal(t, http.StatusOK, control(t, "GET", b.url+"/_simulator/faults", "", &listed))
	added.Hits = 1
	require.Equal(t, []aws.Fault{added}, listed)
	require.Equal(t, http.StatusNoContent, control(t, "DELETE", b.url+"/_simulator/faults/"+added.ID, "", nil))
	require.Equal(t, http.StatusNotFound, control(t, "DELETE", b.url+"/_simulator/faults/"+added.ID, "", nil))
	require.Equal(t, []bool{false}, outcomes(t, client, 1))
	for _, wrong := range []string{`{"kind":"explode"}`, `{"kind":"throttle","service":"ec2"}`, `{"kind":"slow"}`, `{"kind":"throttle","evry":2}`, `{`} {
		require.Equal(t, http.StatusBadRequest, control(t, "POST", b.url+"/_simulator/faults", wrong, nil), wrong)
	}

	var counts map[string]int
	require.Equal(t, http.StatusOK, control(t, "GET", b.url+"/_simulator/requests", "", &counts))
	require.Equal(t, map[string]int{"iam:ListUsers": 2}, counts)
	require.Equal(t, http.StatusNoContent, control(t, "DELETE", b.url+"/_simulator/requests", "", nil))
	require.Empty(t, b.Requests())

	var report aws.EstateReport
	require.Equal(t, http.StatusOK, control(t, "GET", b.url+"/_simulator/estate", "", &report))
	require.Equal(t, aws.EstateReport{Endpoint: b.url, People: 10, Summary: b.summary}, report)
	require.Equal(t, http.StatusNotFound, control(t, "GET", b.url+"/_simulator/nothing", "", nil))
}

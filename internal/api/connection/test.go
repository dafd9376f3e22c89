package connection

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Tester has a connection tested by the discovery service.
type Tester interface {
	// Test starts a test in the caller's name and returns its result. A start
	// that the gate blocks, and a test that ends without looking at the
	// provider, are failed results and not errors. The bearer is the caller's
	// API key. Unavailable when the discovery service does not answer or the
	// test does not end in time.
	Test(ctx context.Context, caller workspace.Caller, bearer secret.Secret, c id.Connection) (domain.TestResult, error)
}

// TestResult is what a test of a connection found.
type TestResult struct {
	Status      string          `json:"status" enum:"success,failure"`
	CheckedAt   time.Time       `json:"checked_at"`
	Remediation []Remediation   `json:"remediation" nullable:"false"`
	ReasonCode  string          `json:"reason_code" doc:"Why the test failed; empty when it did not."`
	RunID       id.Run          `json:"run_id" example:"run_123"`
	TestID      id.Test         `json:"test_id,omitzero" example:"test_123" doc:"Left out when the test did not get to the provider."`
	Streams     []StreamOutlook `json:"streams" nullable:"false" doc:"How completely each stream can be read with these credentials."`
}

// Remediation is one thing that is wrong and what to do about it.
type Remediation struct {
	Category string `json:"category" example:"permissions"`
	Message  string `json:"message" example:"Missing iam:ListUsers"`
	Action   string `json:"action" example:"Add the permission to the role"`
}

// StreamOutlook says how completely a stream can be read.
type StreamOutlook struct {
	Stream   string   `json:"stream"`
	Coverage string   `json:"coverage"`
	Missing  []string `json:"missing" nullable:"false" doc:"Permissions that stand in the way."`
}

type testInput struct {
	Connection    api.PathID[id.Connection] `path:"connection_id"`
	Authorization api.BearerToken           `header:"Authorization" hidden:"true"`
}

type testOutput struct {
	Body TestResult
}

type listTestsInput struct {
	Connection api.PathID[id.Connection] `path:"connection_id"`
	api.Page
}

// TestList is a page of test results.
type TestList struct {
	Tests      []TestResult `json:"tests" nullable:"false"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

type listTestsOutput struct {
	Body TestList
}

func (o *operations) test(ctx context.Context, in *testInput) (*testOutput, error) {
	caller := api.CallerFrom(ctx)
	if err := caller.Require(workspace.ManageConnections); err != nil {
		return nil, err
	}
	if _, err := o.connections.Get(ctx, caller, in.Connection.ID); err != nil {
		return nil, err
	}
	result, err := o.tester.Test(ctx, caller, secret.FromString(in.Authorization.Reveal()), in.Connection.ID)
	if err != nil {
		return nil, err
	}
	return &testOutput{Body: resultFromDomain(result)}, nil
}

func (o *operations) listTests(ctx context.Context, in *listTestsInput) (*listTestsOutput, error) {
	before, err := api.After[id.Test](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.connections.Tests(ctx, api.CallerFrom(ctx), in.Connection.ID, before, in.Fetch())
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(t domain.TestResult) id.Test { return t.ID })
	out := &listTestsOutput{Body: TestList{Tests: make([]TestResult, len(items)), NextCursor: next}}
	for i, t := range items {
		out.Body.Tests[i] = resultFromDomain(t)
	}
	return out, nil
}

func resultFromDomain(t domain.TestResult) TestResult {
	dto := TestResult{
		Status: "failure", CheckedAt: t.CheckedAt.UTC(), Remediation: Remediations(t.Remediation), ReasonCode: string(t.Reason),
		RunID: t.Run, TestID: t.ID, Streams: Outlooks(t.Outlook),
	}
	if t.Success {
		dto.Status = "success"
	}
	return dto
}

// Remediations is how the API shows what to do about a test; never null.
func Remediations(items []connector.Remediation) []Remediation {
	shown := make([]Remediation, len(items))
	for i, r := range items {
		shown[i] = Remediation{Category: string(r.Category), Message: r.Message, Action: r.Action}
	}
	return shown
}

// Outlooks is how the API shows how completely streams can be read; never null.
func Outlooks(streams []connector.StreamOutlook) []StreamOutlook {
	shown := make([]StreamOutlook, len(streams))
	for i, s := range streams {
		shown[i] = StreamOutlook{Stream: s.Stream, Coverage: string(s.Coverage), Missing: append([]string{}, s.Missing...)}
	}
	return shown
}

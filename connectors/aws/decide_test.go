package aws_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
)

// emitted is what a discovery emitted, as the records that decisions rest on.
type emitted struct {
	*graph
	from, to map[connector.Ref][]connector.Relationship
	// missing are partitions that were not read completely.
	missing map[connector.Partition]bool
}

func newEmitted(g *graph) *emitted {
	e := &emitted{g, map[connector.Ref][]connector.Relationship{}, map[connector.Ref][]connector.Relationship{}, map[connector.Partition]bool{}}
	seen := map[string]bool{}
	for _, r := range g.relationships {
		if key := fmt.Sprint(r.Kind, r.From, r.To, r.Key); !seen[key] {
			seen[key] = true
			e.from[r.From] = append(e.from[r.From], r)
			e.to[r.To] = append(e.to[r.To], r)
		}
	}
	return e
}

func (e *emitted) Entity(_ context.Context, ref connector.Ref) (connector.Entity, bool, error) {
	found, ok := e.entities[ref]
	return found, ok, nil
}

func (e *emitted) list(fits func(connector.Entity) bool) (found []connector.Entity, whole bool, err error) {
	for _, n := range e.entities {
		if fits(n) {
			found = append(found, n)
		}
	}
	return found, true, nil
}

func (e *emitted) Named(_ context.Context, kind connector.EntityKind, name string) ([]connector.Entity, bool, error) {
	return e.list(func(n connector.Entity) bool { return n.Kind == kind && n.Name == name })
}

func (e *emitted) OfType(_ context.Context, kind connector.EntityKind, typ string) ([]connector.Entity, bool, error) {
	return e.list(func(n connector.Entity) bool { return n.Kind == kind && n.Type == typ })
}

func related(all []connector.Relationship, kind connector.RelationshipKind) (found []connector.Relationship, whole bool, err error) {
	for _, r := range all {
		if r.Kind == kind {
			found = append(found, r)
		}
	}
	return found, true, nil
}

func (e *emitted) From(_ context.Context, kind connector.RelationshipKind, ref connector.Ref) ([]connector.Relationship, bool, error) {
	return related(e.from[ref], kind)
}

func (e *emitted) To(_ context.Context, kind connector.RelationshipKind, ref connector.Ref) ([]connector.Relationship, bool, error) {
	return related(e.to[ref], kind)
}

func (e *emitted) Complete(_ context.Context, p connector.Partition) (bool, error) {
	return !e.missing[connector.Partition{Stream: p.Stream, Key: p.Key}], nil
}

// circumstances are those of a call to the simulator from this machine.
func circumstances(region string) map[string][]string {
	return map[string][]string{
		"aws:SourceIp": {"127.0.0.1"}, "aws:SecureTransport": {"true"}, "aws:ViaAWSService": {"false"}, "aws:RequestedRegion": {region},
		"aws:MultiFactorAuthPresent": nil,
	}
}

// TestDecisionsAreWhatTheSimulatorDoes lets the users of the simulated
// organisation call it, and decides the same requests from what a discovery
// saw: identity policies, groups, boundaries, and the control policies of every
// level. The simulator weighs no policies of buckets in its answers about them,
// so that what these would add or deny is left out.
func TestDecisionsAreWhatTheSimulatorDoes(t *testing.T) {
	t.Parallel()
	c := newCloud(t, 150)
	records := newEmitted(discover(t, c.settings(t, nil)))
	e, ctx := c.Estate(), t.Context()
	region := c.Summary().Region
	decisions := map[connector.Outcome]int{}
	for account := range e.Organization.Accounts {
		inventory := e.Inventory(account)
		for _, user := range inventory.Users {
			if len(user.Keys) == 0 || !user.Keys[0].Active || e.Organization.Accounts[account].Suspended {
				continue
			}
			key, ok := e.CredentialByKeyID(user.Keys[0].ID)
			require.True(t, ok)
			cfg := sdk.Config{
				Region: region, BaseEndpoint: sdk.String(c.url), Credentials: credentials.NewStaticCredentialsProvider(user.Keys[0].ID, key.Secret, ""),
				RetryMaxAttempts: 1,
			}
			try := func(action, resource string, err error) {
				var refused smithy.APIError
				denied := errors.As(err, &refused) && (refused.ErrorCode() == "AccessDenied" || refused.ErrorCode() == "AccessDeniedException")
				d, err := aws.New().Decide(ctx, connector.AccessRequest{
					Account: connector.Ref{Kind: connector.Account, ID: user.ID}, Action: action, Resource: resource, Context: circumstances(region),
				}, records)
				require.NoError(t, err)
				decisions[d.Outcome]++
				want := connector.OutcomeAllowed
				if denied {
					want = connector.OutcomeDenied
				}
				require.Equal(t, want, d.Outcome, "%s %s %s: %+v", user.ARN, action, resource, d)
			}
			_, err := iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{})
			try("iam:ListUsers", "*", err)
			_, err = iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{})
			try("iam:ListRoles", "*", err)
			_, err = lambda.NewFromConfig(cfg).ListFunctions(ctx, &lambda.ListFunctionsInput{})
			try("lambda:ListFunctions", "*", err)
			buckets := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
			_, err = buckets.ListBuckets(ctx, &s3.ListBucketsInput{})
			try("s3:ListAllMyBuckets", "*", err)
		}
	}
	t.Logf("%v", decisions)
	require.Greater(t, decisions[connector.OutcomeAllowed], 10)
	require.Greater(t, decisions[connector.OutcomeDenied], 10)
}

// TestContractorMayReadPayroll decides the story's chain: an IAM user assumes a
// role of another account, and a user of Identity Center takes the role of a
// permission set.
func TestContractorMayReadPayroll(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	records := newEmitted(discover(t, c.settings(t, nil)))
	summary, ctx := c.Summary(), t.Context()
	given := circumstances(summary.Region)
	bucket := "arn:aws:s3:::" + summary.Sensitive.Name
	for _, id := range []string{summary.Contractor.IAMUserID, summary.Contractor.DirectoryUserID} {
		account := connector.Ref{Kind: connector.Account, ID: id}
		best := connector.OutcomeDenied
		roles, err := aws.New().Assumable(ctx, account, records)
		require.NoError(t, err)
		require.NotEmpty(t, roles)
		for _, role := range roles {
			step, err := aws.New().DecideAssumption(ctx, account, role, given, records)
			require.NoError(t, err)
			if step.Outcome == connector.OutcomeDenied {
				continue
			}
			read, err := aws.New().Decide(ctx, connector.AccessRequest{Account: role, Action: "s3:GetObject", Resource: bucket, Context: given}, records)
			require.NoError(t, err)
			require.Equal(t, bucket+"/*", read.Resource, "reading is about the bucket's objects")
			t.Logf("%s: %s, then %s %+v", role.ID, step.Outcome, read.Outcome, read.Needs)
			if read.Outcome == connector.OutcomeAllowed && step.Outcome == connector.OutcomeAllowed {
				best = connector.OutcomeAllowed
			}
		}
		require.Equal(t, connector.OutcomeAllowed, best, id)
	}
}

// TestDecisionsDependOnWhatWasNotRead: what a partition may have hidden is not
// taken to be absent.
func TestDecisionsDependOnWhatWasNotRead(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	g := discover(t, c.settings(t, nil))
	summary := c.Summary()
	account := connector.Ref{Kind: connector.Account, ID: summary.Contractor.IAMUserID}
	home := accountHolding(t, g, account)
	for _, missing := range []connector.Partition{{Stream: "iam", Key: home}, {Stream: "control_policies"}, {Stream: "organization"}} {
		seen := newEmitted(g)
		decide := func() connector.AccessDecision {
			d, err := aws.New().Decide(t.Context(), connector.AccessRequest{Account: account, Action: "dynamodb:ListTables", Resource: "*", Context: circumstances(summary.Region)}, seen)
			require.NoError(t, err)
			return d
		}
		require.Equal(t, connector.OutcomeDenied, decide().Outcome)
		seen.missing[missing] = true
		if d := decide(); missing.Stream == "iam" {
			require.Equal(t, connector.OutcomeDepends, d.Outcome)
			require.NotEmpty(t, d.Needs)
		} else {
			require.Equal(t, connector.OutcomeDenied, d.Outcome, "no policy allows it, whatever control policies say")
		}
	}
}

// accountHolding returns the AWS account of an account of the graph.
func accountHolding(t *testing.T, g *graph, ref connector.Ref) string {
	t.Helper()
	for _, r := range g.relationships {
		if r.Kind == connector.BoundaryContains && r.To == ref {
			return r.From.ID
		}
	}
	t.Fatalf("%s is in no account", ref.ID)
	return ""
}

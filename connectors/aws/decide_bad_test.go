package aws_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
)

const (
	handAccount  = "111122223333"
	handBucket   = "arn:aws:s3:::payroll"
	allowsAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	deniesAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	allowsNobody = `{"Version":"2012-10-17","Statement":[]}`
)

// handmade is an account outside organisations with one user, whose policies and
// the bucket's are as given; an empty text is one that is not there.
func handmade(own, boundary, bucket string, tags map[string]string) *emitted {
	g := &graph{entities: map[connector.Ref]connector.Entity{}}
	add := func(kind connector.EntityKind, id, typ string, attributes map[string]any) connector.Ref {
		raw, _ := json.Marshal(attributes)
		ref := connector.Ref{Kind: kind, ID: id}
		g.entities[ref] = connector.Entity{Ref: ref, Name: id, Type: typ, Attributes: raw}
		return ref
	}
	document := func(text string) map[string]any { return map[string]any{"document": json.RawMessage(text)} }
	described := map[string]any{"arn": "arn:aws:iam::" + handAccount + ":user/ann", "account": handAccount, "tags": tags}
	if boundary != "" {
		add(connector.Entitlement, "boundary", "iam_managed_policy", document(boundary))
		described["permissions_boundary"], described["permissions_boundary_id"] = "boundary", "boundary"
	}
	user := add(connector.Account, "AIDAANN", "iam_user", described)
	if own != "" {
		held := add(connector.Entitlement, "own", "iam_inline_policy", document(own))
		g.relationships = append(g.relationships, connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: user, To: held})
	}
	kept := map[string]any{"account": handAccount, "policy_status": "none"}
	if bucket != "" {
		kept["policy_status"], kept["policy"] = "read", json.RawMessage(bucket)
	}
	add(connector.Resource, handBucket, "s3_bucket", kept)
	organization := add(connector.CloudAccountBoundary, "o-1", "organization", map[string]any{"management_account": handAccount})
	account := add(connector.CloudAccountBoundary, handAccount, "aws_account", nil)
	g.relationships = append(g.relationships, connector.Relationship{Kind: connector.BoundaryContains, From: organization, To: account})
	return newEmitted(g)
}

func (e *emitted) decideReading(t *testing.T, given map[string][]string) connector.AccessDecision {
	t.Helper()
	d, err := aws.New().Decide(t.Context(), connector.AccessRequest{
		Account: connector.Ref{Kind: connector.Account, ID: "AIDAANN"}, Action: "s3:GetObject", Resource: handBucket + "/may.csv", Context: given,
	}, e)
	require.NoError(t, err)
	return d
}

// TestDecisionsOnBadPolicies: a policy that makes no sense may say anything.
// Wherever it stands, no answer that it could change is definite, and what it
// could not change is.
func TestDecisionsOnBadPolicies(t *testing.T) {
	t.Parallel()
	require.Equal(t, connector.OutcomeAllowed, handmade(allowsAll, "", "", nil).decideReading(t, nil).Outcome)
	require.Equal(t, connector.OutcomeDenied, handmade(allowsNobody, "", "", nil).decideReading(t, nil).Outcome)
	for name, bad := range map[string]string{
		"a list":                  `[]`,
		"a text":                  `"{}"`,
		"a number":                `7`,
		"an element twice":        `{"Statement":[],"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"elements but for case":   `{"Statement":[{"Effect":"Deny","effect":"Allow","Action":"*","Resource":"*"}]}`,
		"an effect that is none":  `{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}`,
		"a condition key twice":   `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"true","a":"false"}}}]}`,
		"action and not action":   `{"Statement":[{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}]}`,
		"nested deeply":           strings.Repeat(`{"Statement":`, 5000) + `[]` + strings.Repeat(`}`, 5000),
		"lists in lists":          `{"Statement":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`,
		"far beyond AWS's limits": `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"` + strings.Repeat("a", 1<<20) + `"}]}`,
	} {
		for place, c := range map[string]struct {
			own, boundary, bucket string
			want                  connector.Outcome
		}{
			"own, alone":                    {bad, "", "", connector.OutcomeDepends},
			"own, the bucket allows":        {bad, "", bucketAllows(), connector.OutcomeDepends},
			"own, the bucket denies":        {bad, "", bucketDenies(), connector.OutcomeDenied},
			"own, the boundary denies":      {bad, deniesAll, "", connector.OutcomeDenied},
			"boundary, own allows":          {allowsAll, bad, "", connector.OutcomeDepends},
			"boundary, own does not":        {allowsNobody, bad, "", connector.OutcomeDenied},
			"boundary, own denies":          {deniesAll, bad, "", connector.OutcomeDenied},
			"the bucket's, own allows":      {allowsAll, "", bad, connector.OutcomeDepends},
			"the bucket's, own does not":    {allowsNobody, "", bad, connector.OutcomeDepends},
			"the bucket's, own denies":      {deniesAll, "", bad, connector.OutcomeDenied},
			"the bucket's and the boundary": {allowsAll, bad, bad, connector.OutcomeDepends},
		} {
			d := handmade(c.own, c.boundary, c.bucket, nil).decideReading(t, nil)
			require.Equal(t, c.want, d.Outcome, "%s: %s: %+v", name, place, d)
			require.Equal(t, d.Outcome == connector.OutcomeDepends, len(d.Needs) > 0)
			for _, n := range d.Needs {
				require.Less(t, len(n.Reason), 400, "a reason quotes little")
			}
		}
	}
}

func bucketAllows() string {
	return `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`
}

func bucketDenies() string {
	return `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
}

// TestTagsThatDifferInCase: AWS keeps no two such tags; of what says otherwise it
// is not known which counts, and the answer is the same every time.
func TestTagsThatDifferInCase(t *testing.T) {
	t.Parallel()
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"pay"}}}]}`
	for range 20 {
		require.Equal(t, connector.OutcomeAllowed, handmade(own, "", "", map[string]string{"Team": "pay", "cost": "1"}).decideReading(t, nil).Outcome)
		require.Equal(t, connector.OutcomeDenied, handmade(own, "", "", map[string]string{"cost": "1"}).decideReading(t, nil).Outcome)
		both := handmade(own, "", "", map[string]string{"Team": "pay", "team": "ops"})
		require.Equal(t, connector.OutcomeDepends, both.decideReading(t, nil).Outcome)
		require.Equal(t, connector.OutcomeAllowed, both.decideReading(t, map[string][]string{"aws:principaltag/TEAM": {"pay"}}).Outcome)
	}
}

// TestSessionPoliciesThatAreRefused names the part that is wrong.
func TestSessionPoliciesThatAreRefused(t *testing.T) {
	t.Parallel()
	records := handmade(allowsAll, "", "", nil)
	for _, text := range []string{
		`{`, `[]`, `null`, `{"Statement":[],"statement":[]}`, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","NotPrincipal":{"AWS":"*"}}]}`, `{"Statement":[]}` + strings.Repeat(" ", 2048), strings.Repeat("{", 2000),
	} {
		_, err := aws.New().Decide(t.Context(), connector.AccessRequest{
			Account: connector.Ref{Kind: connector.Account, ID: "AIDAANN"}, Action: "s3:GetObject", Resource: handBucket, SessionPolicy: text,
		}, records)
		var wrong *connector.RequestError
		require.ErrorAs(t, err, &wrong, text)
		require.Equal(t, connector.PartSessionPolicy, wrong.Part)
	}
}

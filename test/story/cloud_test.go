package story

import (
	"maps"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// people is the size of the simulated organisations: enough for several pages
// and accounts.
const people = 40

// cloud is a simulated AWS organisation that can be made to fail.
type cloud struct {
	*simulator.Simulator
	url string
}

// newCloud serves an organisation. Stories that share a workspace use different
// seeds, so that no two of them speak of the same accounts.
func newCloud(t *testing.T, seed int64) *cloud {
	t.Helper()
	s, err := simulator.New(simulator.Options{People: people, Seed: seed})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &cloud{Simulator: s, url: server.URL}
}

// configuration reaches the whole organisation; edit changes fields.
func (c *cloud) configuration(edit map[string]any) map[string]any {
	s := c.Summary()
	fields := map[string]any{
		"access_key_id": s.Auditor.AccessKeyID, "secret_access_key": s.Auditor.SecretAccessKey, "region": s.Region, "endpoint_url": c.url,
		"organizations_enabled": true, "identity_center_enabled": true, "member_role_name": s.AuditRole, "external_id": s.ExternalID,
	}
	maps.Copy(fields, edit)
	return fields
}

// fail puts a fault in force until the test ends it.
func (c *cloud) fail(t *testing.T, f simulator.Fault) {
	t.Helper()
	_, err := c.AddFault(f)
	require.NoError(t, err)
}

// struck is how often the faults in force have struck.
func (c *cloud) struck() int {
	hits := 0
	for _, f := range c.Faults() {
		hits += f.Hits
	}
	return hits
}

// bucket is the ARN of the bucket with the payroll exports.
func (c *cloud) bucket() string { return "arn:aws:s3:::" + c.Summary().Sensitive.Name }

// requireKnown requires that the graph still says who reaches the bucket.
func (p *plane) requireKnown(t *testing.T, c *cloud, conn string) {
	t.Helper()
	found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn, ProviderID: c.bucket()}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, found.Items, 1)
	who, err := p.api.WhoCan(t.Context(), found.Items[0].EntityID, client.AccessFilter{}, client.Pages{})
	require.NoError(t, err)
	require.True(t, who.Basis.Observed)
	require.Contains(t, accountsOf(who.Items), c.Summary().Contractor.IAMUserID)
}

// accountsOf lists the provider ids of the accounts of an answer.
func accountsOf(rows []client.Access) []string {
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.Account.ProviderID)
	}
	return ids
}

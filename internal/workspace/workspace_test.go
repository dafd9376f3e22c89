package workspace_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// TestRoleTable is the table of the model, written a second time.
func TestRoleTable(t *testing.T) {
	t.Parallel()
	members := []workspace.Role{workspace.Viewer, workspace.ConnectorBuilder, workspace.Admin}
	builders := []workspace.Role{workspace.ConnectorBuilder, workspace.Admin}
	tenant := []workspace.Role{workspace.TenantAdmin}
	table := map[workspace.Capability][]workspace.Role{
		workspace.ReadWorkspace:      members,
		workspace.ReadAudit:          append(members, workspace.TenantAdmin),
		workspace.ReadAdministration: append(members, workspace.TenantAdmin),
		workspace.Export:             append(members, workspace.TenantAdmin),
		workspace.ManageConnections:  builders,
		workspace.StartOperations:    builders,
		workspace.ManageMembers:      {workspace.Admin, workspace.TenantAdmin},
		workspace.ManageWebhooks:     {workspace.Admin},
		workspace.ManageIdentities:   {workspace.Admin},
		workspace.Restore:            {workspace.Admin},
		workspace.ManageWorkspaces:   tenant,
		workspace.ReadAuditAcross:    tenant,
		workspace.ManageLicence:      tenant,
		workspace.ManageThrottling:   tenant,
	}
	require.ElementsMatch(t, workspace.Capabilities(), slices.Collect(maps.Keys(table)))
	for capability, roles := range table {
		for _, role := range append(workspace.Roles(), "", "root") {
			err := workspace.Caller{Role: role}.Require(capability)
			allowed := false
			for _, r := range roles {
				allowed = allowed || r == role
			}
			if allowed {
				require.NoError(t, err, "%s %s", role, capability)
				continue
			}
			require.Equal(t, fault.Forbidden, fault.KindOf(err), "%s %s", role, capability)
			require.ErrorContains(t, err, string(capability))
		}
	}
}

func TestKeyNamesItsWorkspaceAndHash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := id.Workspace(rapid.Int64Range(1, 1<<62).Draw(t, "workspace"))
		key, hash, hint := workspace.NewKey(w)
		gotWorkspace, gotHash, err := workspace.ParseKey(key.RevealString())
		require.NoError(t, err)
		require.Equal(t, w, gotWorkspace)
		require.Equal(t, hash, gotHash)
		require.Contains(t, key.RevealString(), hint)
		require.Less(t, len(hint), len(key.RevealString())-40)
	})
}

func TestWhatIsNoKeyIsRefusedAlike(t *testing.T) {
	t.Parallel()
	key, _, _ := workspace.NewKey(1)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(gk_)?-?[0-9]{0,20}_?[a-z2-7]{0,60}`)).Draw(t, "text")
		if text == key.RevealString() {
			return
		}
		if w, _, err := workspace.ParseKey(text); err != nil {
			require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
		} else {
			require.Positive(t, int64(w))
		}
	})
}

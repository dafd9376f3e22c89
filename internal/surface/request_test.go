package surface_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/surface"
)

func TestRequestsOfTheContractBecomeStarts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read func() (run.StartRequest, error)
		want run.StartRequest
	}{
		"a target, nothing said": {
			func() (run.StartRequest, error) { return surface.OnTarget(3, operation.PolicyBackup, nil) },
			run.StartRequest{Operation: operation.PolicyBackup, Target: 3, Surface: "tenant"},
		},
		"a target, all said": {
			func() (run.StartRequest, error) {
				return surface.OnTarget(3, operation.PolicyBackup, []byte(`{"providerConnectionId":7,"sourceSurface":"tenant.list","targetContext":{"row":4}}`))
			},
			run.StartRequest{Operation: operation.PolicyBackup, Target: 3, Connection: 7, Surface: "tenant.list", TargetContext: []byte(`{"row":4}`)},
		},
		"a connection": {
			func() (run.StartRequest, error) { return surface.OnConnection(7, operation.ConnectionTest), nil },
			run.StartRequest{Operation: operation.ConnectionTest, Connection: 7, Surface: "provider_connection"},
		},
		"groups, by default": {
			func() (run.StartRequest, error) {
				return surface.SyncGroups(3, []byte(`{"providerConnectionId":null}`))
			},
			run.StartRequest{Operation: operation.GroupsSync, Target: 3, Surface: "directory"},
		},
		"groups, selected": {
			func() (run.StartRequest, error) { return surface.SyncGroups(3, []byte(`{"selectionKey":"some"}`)) },
			run.StartRequest{Operation: operation.GroupsSync, Target: 3, Surface: "directory", Input: []byte(`{"selection_key":"some"}`)},
		},
		"role definitions": {
			func() (run.StartRequest, error) { return surface.SyncRoleDefinitions(3), nil },
			run.StartRequest{Operation: operation.RoleDefinitionsSync, Target: 3, Surface: "directory"},
		},
		"a restore": {
			func() (run.StartRequest, error) { return surface.ExecuteRestore(3, 9) },
			run.StartRequest{Operation: operation.RestoreExecute, Target: 3, Surface: "restore", Input: []byte(`{"restore_run_id":"rst_9"}`)},
		},
		"verification": {
			func() (run.StartRequest, error) {
				return surface.Verify(7, operation.ConnectionTest, []byte(`{"step":"verify"}`))
			},
			run.StartRequest{Operation: operation.ConnectionTest, Connection: 7, Surface: "onboarding.verify", TargetContext: []byte(`{"step":"verify"}`)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := test.read()
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			op, err := operation.Get(got.Operation)
			require.NoError(t, err)
			_, err = op.ReadInput(got.Input)
			require.NoError(t, err, "the gate takes it")
		})
	}

	starts, err := surface.Bootstrap([]byte(`{"providerConnectionId":7,"selectedOperations":["discovery.run","directory.groups.sync"]}`))
	require.NoError(t, err)
	require.Equal(t, []run.StartRequest{
		{Operation: operation.DiscoveryRun, Connection: 7, Surface: "onboarding.bootstrap"},
		{Operation: operation.GroupsSync, Connection: 7, Surface: "onboarding.bootstrap"},
	}, starts)
}

func TestWrongRequestsNameTheirFields(t *testing.T) {
	t.Parallel()
	onTarget := func(body string) error {
		_, err := surface.OnTarget(3, operation.PolicyBackup, []byte(body))
		return err
	}
	bootstrap := func(body string) error { _, err := surface.Bootstrap([]byte(body)); return err }
	for _, test := range []struct {
		read   func(string) error
		body   string
		fields []string
	}{
		{onTarget, `{"providerConnectionId":"conn_7"}`, []string{"providerConnectionId"}},
		{onTarget, `{"providerConnectionId":0}`, []string{"providerConnectionId"}},
		{onTarget, `{"sourceSurface":4}`, []string{"sourceSurface"}},
		{onTarget, `[`, []string{"body"}},
		{onTarget, `{} {}`, []string{"body"}},
		{bootstrap, ``, []string{"providerConnectionId", "selectedOperations"}},
		{bootstrap, `{"providerConnectionId":7,"selectedOperations":["discovery.run","walk"]}`, []string{"selectedOperations.1"}},
	} {
		f, ok := fault.As(test.read(test.body))
		require.True(t, ok, test.body)
		require.Equal(t, fault.Invalid, f.Kind)
		var named []string
		for _, field := range f.Fields {
			named = append(named, field.Path)
		}
		require.Equal(t, test.fields, named, test.body)
	}
}

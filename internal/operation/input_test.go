package operation_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

func get(t *testing.T, which operation.Type) operation.Operation {
	t.Helper()
	o, err := operation.Get(which)
	require.NoError(t, err)
	return o
}

func TestWrongInputsAreNamed(t *testing.T) {
	t.Parallel()
	many, err := json.Marshal(map[string][]string{"streams": strings.Split(strings.Repeat("x,", 200)+"x", ",")})
	require.NoError(t, err)
	for _, test := range []struct {
		op      operation.Type
		input   string
		field   string
		message string
	}{
		{operation.ConnectionTest, `{"streams":["iam"]}`, "input.streams", "connection.test takes no input"},
		{operation.DiscoveryRun, `{"stream":["iam"]}`, "input.stream", "did you mean streams?"},
		{operation.DiscoveryRun, `{"selection_key":"x"}`, "input.selection_key", "discovery.run takes streams and partitions"},
		{operation.DiscoveryRun, `{"streams":"iam"}`, "input.streams", "must be a list"},
		{operation.DiscoveryRun, `{"streams":[]}`, "input.streams", "leave it out for all"},
		{operation.DiscoveryRun, `{"streams":null}`, "input.streams", "must be a list"},
		{operation.DiscoveryRun, `{"streams":[""]}`, "input.streams", "texts of 1 to 1024 bytes"},
		{operation.DiscoveryRun, `{"partitions":["a\u0000b"]}`, "input.partitions", "texts of 1 to 1024 bytes"},
		{operation.DiscoveryRun, string(many), "input.streams", "list of 1 to 200"},
		{operation.GroupsSync, `{"selection_key":"All Groups"}`, "input.selection_key", "lower-case letters"},
		{operation.GroupsSync, `{"selection_key":""}`, "input.selection_key", "all_groups_v1"},
		{operation.RestoreExecute, ``, "input.restore_run_id", "is missing"},
		{operation.RestoreExecute, `{"restore_run_id":"run_4"}`, "input.restore_run_id", "rst_12"},
		{operation.RestoreExecute, `7`, "input", "must be a JSON object"},
	} {
		_, err := get(t, test.op).ReadInput(json.RawMessage(test.input))
		f, ok := fault.As(err)
		require.True(t, ok, "%s %s", test.op, test.input)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, test.field, f.Fields[0].Path)
		require.Contains(t, f.Fields[0].Message, test.message)
	}
	_, err = get(t, operation.DiscoveryRun).ReadInput(json.RawMessage(`{"streams":1,"partitions":2,"else":3}`))
	f, _ := fault.As(err)
	require.Len(t, f.Fields, 3, "all at once")
}

// What the run stores reads back as what the start said.
func TestStoredInputIsWhatWasSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := get(t, operation.DiscoveryRun)
		names := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9:é,"]{1,12}`), 1, 8)
		said, err := json.Marshal(map[string][]string{"streams": names.Draw(rt, "streams"), "partitions": names.Draw(rt, "partitions")})
		require.NoError(t, err)
		in, err := o.ReadInput(said)
		require.NoError(t, err)
		stored, err := json.Marshal(in)
		require.NoError(t, err)
		again, err := o.ReadInput(stored)
		require.NoError(t, err)
		require.Equal(t, in, again)
		require.True(t, in.Narrows())
		require.Less(t, len(o.DedupeKey(1, in)), 100, "an index can hold it")
	})
}

// Two starts have the same key when they ask for the same, in whatever order they
// say it, and only then.
func TestDedupeKeysTellStartsApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, test := range []struct {
		op         operation.Type
		connection id.Connection
		input      string
	}{
		{operation.DiscoveryRun, 1, ``},
		{operation.DiscoveryRun, 2, ``},
		{operation.DiscoveryRun, 12, ``},
		{operation.DiscoveryRun, 1, `{"streams":["a","b"]}`},
		{operation.DiscoveryRun, 1, `{"streams":["ab"]}`},
		{operation.DiscoveryRun, 1, `{"partitions":["a","b"]}`},
		{operation.DiscoveryRun, 1, `{"streams":["a"],"partitions":["b"]}`},
		{operation.DiscoveryRun, 1, `{"streams":["b"],"partitions":["a"]}`},
		{operation.DiscoveryRun, 1, `{"streams":["1:a"]}`},
		{operation.GroupsSync, 1, ``},
		{operation.GroupsSync, 1, `{"selection_key":"some"}`},
		{operation.RoleDefinitionsSync, 1, ``},
		{operation.PolicyBackup, 1, ``},
		{operation.RestoreExecute, 1, `{"restore_run_id":"rst_1"}`},
		{operation.RestoreExecute, 1, `{"restore_run_id":"rst_2"}`},
	} {
		o := get(t, test.op)
		in, err := o.ReadInput(json.RawMessage(test.input))
		require.NoError(t, err)
		key, what := o.DedupeKey(test.connection, in), fmt.Sprint(test)
		require.NotContains(t, seen, key, "%s and %s", what, seen[key])
		seen[key] = what
	}
	o := get(t, operation.DiscoveryRun)
	one, err := o.ReadInput(json.RawMessage(`{"streams":["b","a","b"]}`))
	require.NoError(t, err)
	two, err := o.ReadInput(json.RawMessage(`{"streams":["a","b"]}`))
	require.NoError(t, err)
	require.Equal(t, o.DedupeKey(1, one), o.DedupeKey(1, two))
	require.Empty(t, get(t, operation.ConnectionTest).DedupeKey(1, operation.Input{}), "each test is one of its own")
}

func TestProtectionsOfATarget(t *testing.T) {
	t.Parallel()
	directory, _ := operation.ProtectsDirectory.TargetHold()
	policies, _ := operation.SharesPolicies.TargetHold()
	target, _ := operation.ProtectsTarget.TargetHold()
	for _, c := range []struct {
		a, b operation.TargetHold
		want bool
	}{
		{directory, directory, true},
		{policies, policies, false},
		{target, target, true},
		{directory, policies, false},
		{directory, target, true},
		{policies, target, true},
	} {
		require.Equal(t, c.want, c.a.Conflicts(c.b))
		require.Equal(t, c.want, c.b.Conflicts(c.a))
	}
	for _, p := range []operation.Protection{operation.ProtectsNothing, operation.ProtectsConnection} {
		_, ok := p.TargetHold()
		require.False(t, ok)
	}
}

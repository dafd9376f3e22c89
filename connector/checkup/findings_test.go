package checkup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/checkup"
)

func streams() []connector.Stream {
	needs := func(names ...string) (all []connector.Permission) {
		for _, n := range names {
			all = append(all, connector.Permission{Name: n, Why: "reads"})
		}
		return all
	}
	return []connector.Stream{
		{Name: "users", Permissions: needs("users.read", "groups.read")},
		{Name: "groups", Permissions: needs("groups.read")},
		{Name: "audit", Permissions: needs("audit.read"), Optional: true},
		{Name: "off", Permissions: needs("groups.read"), Optional: true},
	}
}

func reads(stream string) bool { return stream != "off" }

func denied(permission, on string) *connector.Error {
	return &connector.Error{Category: connector.PermissionDenied, Message: "missing " + permission, Permission: permission, On: on}
}

func TestWithoutFindingsAllIsComplete(t *testing.T) {
	t.Parallel()
	var f checkup.Findings
	outlook := f.Outlook(streams(), reads)
	require.Equal(t, []connector.StreamOutlook{
		{Stream: "users", Coverage: connector.Complete},
		{Stream: "groups", Coverage: connector.Complete},
		{Stream: "audit", Coverage: connector.Complete},
		{Stream: "off", Coverage: connector.Skipped},
	}, outlook)
	require.True(t, checkup.Sufficient(streams(), outlook))
	require.Empty(t, f.Errors())
	require.False(t, f.Missing("users.read"))
}

func TestAMissingPermissionConcernsEachStreamThatNeedsIt(t *testing.T) {
	t.Parallel()
	var f checkup.Findings
	f.Note(denied("groups.read", "tenant"), "groups")
	outlook := f.Outlook(streams(), reads)
	require.Equal(t, []connector.StreamOutlook{
		{Stream: "users", Coverage: connector.Partial, Missing: []string{"groups.read"}},
		{Stream: "groups", Coverage: connector.Partial, Missing: []string{"groups.read"}},
		{Stream: "audit", Coverage: connector.Complete},
		{Stream: "off", Coverage: connector.Skipped},
	}, outlook)
	require.False(t, checkup.Sufficient(streams(), outlook))
	require.True(t, f.Missing("groups.read"))
}

func TestOptionalStreamsMayBePartial(t *testing.T) {
	t.Parallel()
	var f checkup.Findings
	f.Note(denied("audit.read", "tenant"), "")
	require.True(t, checkup.Sufficient(streams(), f.Outlook(streams(), reads)))
}

func TestOtherFindingsConcernTheirStream(t *testing.T) {
	t.Parallel()
	var f checkup.Findings
	f.Note(&connector.Error{Category: connector.ScopeInvalid, Message: "no licence"}, "users")
	outlook := f.Outlook(streams(), reads)
	require.Equal(t, connector.StreamOutlook{Stream: "users", Coverage: connector.Partial}, outlook[0])
	require.Equal(t, connector.Complete, outlook[1].Coverage)
	require.False(t, checkup.Sufficient(streams(), outlook))
}

func TestFindingsAreNotedOnceForEachThing(t *testing.T) {
	t.Parallel()
	var f checkup.Findings
	otherwise := denied("users.read", "account 1")
	otherwise.Message = "a policy denies users.read"
	licence := &connector.Error{Category: connector.ScopeInvalid, Message: "no licence"}
	for _, e := range []*connector.Error{denied("users.read", "account 1"), otherwise, denied("users.read", "account 2"), licence, {Category: connector.ScopeInvalid, Message: "no licence"}} {
		f.Note(e, "users")
	}
	require.Equal(t, []*connector.Error{denied("users.read", "account 1"), denied("users.read", "account 2"), licence}, f.Errors())
}

package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// A session that has ended is refused, and the refusal is known to be of the
// person: as a member where they named a workspace of theirs, otherwise as
// somebody at the tenant level.
func TestUseOfAnEndedSessionIsThePersons(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	for why, change := range map[string]string{
		"the session was ended":                     "ended_at = now()",
		"the session has expired":                   "expires_at = now() - interval '1 second'",
		"the session ended because it was not used": "last_used_at = now() - interval '2 days'",
	} {
		p.invite(t, p.admin, why[len(why)-4:]+"@example.com", workspace.Viewer)
		s := p.signIn(t, why, why[len(why)-4:]+"@example.com")
		was := p.mustBe(t, s, p.a.Workspace.String())
		_, err := p.super.Exec(t.Context(), "update sessions set "+change+" where session_id = $1", int64(s.Session.ID))
		require.NoError(t, err)
		for in, member := range map[string]bool{p.a.Workspace.String(): true, p.b.Workspace.String(): false, "": false, "nonsense": false} {
			_, err := p.as(t, s, in)
			require.Equal(t, fault.Unauthenticated, fault.KindOf(err), in)
			var ended *workspace.EndedError
			require.ErrorAs(t, err, &ended)
			require.Equal(t, why, ended.Why)
			require.Equal(t, was.Person, ended.Was.Person)
			if member {
				require.Equal(t, was.Member, ended.Was.Member)
				require.Equal(t, p.a, ended.Was.Scope)
			} else {
				require.Zero(t, ended.Was.Member)
				require.Equal(t, p.tenant.Scope, ended.Was.Scope)
			}
		}
	}
}

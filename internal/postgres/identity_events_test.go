package postgres_test

import (
	"testing"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// identityDeeds are the corrections, each in turn.
func identityDeeds(t *testing.T) []deed {
	j := newJoining(t)
	c := j.connect(t, j.scope)
	j.publish(t, c, person("ann"), person("smith"))
	ann, smith := j.principal(c, "ann"), j.principal(c, "smith")
	one := func(action audit.Action, do func() error) deed { return deed{action: action, in: j.super, do: do} }
	return []deed{
		one(audit.IdentitiesJoined, func() error {
			_, err := j.identities.Join(t.Context(), j.admin, j.identityOf(t, ann), []graph.IdentityID{j.identityOf(t, smith)}, "")
			return err
		}),
		one(audit.IdentitySplit, func() error {
			_, err := j.identities.Split(t.Context(), j.admin, j.identityOf(t, ann), []graph.EntityID{smith}, "")
			return err
		}),
		one(audit.IdentitySourceTrusted, func() error { return j.identities.Trust(t.Context(), j.admin, c, true, "") }),
		one(audit.IdentitySourceNotTrusted, func() error { return j.identities.Trust(t.Context(), j.admin, c, false, "") }),
	}
}

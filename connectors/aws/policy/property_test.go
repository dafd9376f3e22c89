package policy_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// added is the layer with one statement more.
func added(t *rapid.T, l policy.Layer, s object) policy.Layer {
	l.Policies = append(slices.Clone(l.Policies), policy.Policy{Name: "added", Document: parsed(t, s)})
	return l
}

// addSomewhere adds a statement to a layer that is there.
func addSomewhere(t *rapid.T, l policy.Layers, effect string) policy.Layers {
	places := []string{"identity", "resource"}
	if l.Boundary != nil {
		places = append(places, "boundary")
	}
	if l.Session != nil {
		places = append(places, "session")
	}
	if len(l.Controls) > 0 {
		places = append(places, "controls")
	}
	place := rapid.SampledFrom(places).Draw(t, "place")
	s := drawStatement(t, effect, place == "resource")
	switch place {
	case "identity":
		l.Identity = added(t, l.Identity, s)
	case "resource":
		l.Resource = added(t, l.Resource, s)
	case "boundary":
		layer := added(t, *l.Boundary, s)
		l.Boundary = &layer
	case "session":
		layer := added(t, *l.Session, s)
		l.Session = &layer
	default:
		l.Controls = slices.Clone(l.Controls)
		l.Controls[0] = added(t, l.Controls[0], s)
	}
	return l
}

func TestAddingADenialNeverAllowsMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		before, after := policy.Evaluate(r, l), policy.Evaluate(r, addSomewhere(t, l, policy.Deny))
		require.LessOrEqual(t, rank(after.Decision), rank(before.Decision), "%s became %s", before.Decision, after.Decision)
	})
}

func TestAddingAnAllowNeverDeniesMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		before, after := policy.Evaluate(r, l), policy.Evaluate(r, addSomewhere(t, l, policy.Allow))
		require.GreaterOrEqual(t, rank(after.Decision), rank(before.Decision), "%s became %s", before.Decision, after.Decision)
	})
}

// TestLimitsNeverAllowMore: a boundary, a session policy or a level of control
// policies takes away and never gives.
func TestLimitsNeverAllowMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		limit := drawLayer(t, false)
		limited := l
		switch rapid.IntRange(0, 2).Draw(t, "limit") {
		case 0:
			l.Boundary, limited.Boundary = nil, &limit
		case 1:
			l.Session, limited.Session = nil, &limit
		default:
			limited.Controls = append(slices.Clone(l.Controls), limit)
		}
		require.LessOrEqual(t, rank(policy.Evaluate(r, limited).Decision), rank(policy.Evaluate(r, l).Decision))
	})
}

// TestDefiniteVerdictsHoldInEveryCompletion forgets some of the context and
// then tries everything that it may have been: a verdict that was definite
// without it must be the verdict of each.
func TestDefiniteVerdictsHoldInEveryCompletion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		forgotten := rapid.SliceOfNDistinct(rapid.SampledFrom(keys()), 1, 3, rapid.ID[string]).Draw(t, "forgotten")
		var known policy.Context
		for _, key := range keys() {
			if !slices.Contains(forgotten, key) {
				known = known.With(key, rapid.SampledFrom(completions(key)).Draw(t, key+" known")...)
			}
		}
		r.Context = known
		partial := policy.Evaluate(r, l)
		if partial.Decision == policy.Depends {
			require.NotEmpty(t, partial.Needs, "it depends, and does not say on what")
			return
		}
		require.Empty(t, partial.Needs)
		eachCompletion(known, forgotten, func(c policy.Context) {
			r.Context = c
			require.Equal(t, partial.Decision, policy.Evaluate(r, l).Decision)
		})
	})
}

func eachCompletion(c policy.Context, forgotten []string, visit func(policy.Context)) {
	if len(forgotten) == 0 {
		visit(c.WithoutOthers(""))
		return
	}
	for _, values := range completions(forgotten[0]) {
		eachCompletion(c.With(forgotten[0], values...), forgotten[1:], visit)
	}
}

// TestDefiniteVerdictsHoldForEveryResource asks about any resource with a
// beginning, and then about some of them.
func TestDefiniteVerdictsHoldForEveryResource(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		beginning := rapid.SampledFrom([]string{"arn:aws:s3:::logs/", "arn:aws:s3:::", "arn:aws:iam::" + home + ":user/"}).Draw(t, "beginning")
		r.Resource = beginning + "*"
		partial := policy.Evaluate(r, l)
		if partial.Decision == policy.Depends {
			require.NotEmpty(t, partial.Needs)
			return
		}
		for _, rest := range []string{"a", "ann", "ben", "logs/a", "team/ann", "*", "a/b:c", ""} {
			r.Resource = beginning + rest
			if rest == "*" {
				continue
			}
			require.Equal(t, partial.Decision, policy.Evaluate(r, l).Decision, r.Resource)
		}
	})
}

// TestDefiniteVerdictsHoldWhateverWasNotRead: layers that were not wholly read
// are filled with statements afterwards.
func TestDefiniteVerdictsHoldWhateverWasNotRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		partial := l
		unread := []string{"it was not read"}
		switch rapid.IntRange(0, 3).Draw(t, "unread") {
		case 0:
			partial.Identity.Unread = unread
			l.Identity = added(t, l.Identity, drawStatement(t, drawEffect(t), false))
		case 1:
			partial.Resource.Unread = unread
			l.Resource = added(t, l.Resource, drawStatement(t, drawEffect(t), true))
		case 2:
			limit := drawLayer(t, false)
			partial.Boundary, l.Boundary = &policy.Layer{Unread: unread}, &limit
			if rapid.Bool().Draw(t, "no boundary after all") {
				l.Boundary = nil
			}
		default:
			partial.ResourceAccount = ""
		}
		found := policy.Evaluate(r, partial)
		if found.Decision == policy.Depends {
			require.NotEmpty(t, found.Needs)
			return
		}
		require.Equal(t, found.Decision, policy.Evaluate(r, l).Decision)
	})
}

// TestVerdictsNameTheirStatements: who is allowed is so by a statement that
// is named, and who is denied explicitly by one that denies.
func TestVerdictsNameTheirStatements(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		v := policy.Evaluate(r, l)
		deciding := v.Deciding()
		switch {
		case v.Explicit:
			require.NotEmpty(t, deciding)
			for _, f := range deciding {
				require.Equal(t, policy.Deny, f.Effect)
				require.Equal(t, policy.True, f.Applies)
			}
		case v.Decision == policy.Denied:
			require.NotEmpty(t, v.Lacking())
		case v.Decision == policy.Allowed && r.Caller.Kind != policy.Root:
			require.True(t, slices.ContainsFunc(deciding, func(f policy.Finding) bool { return f.Effect == policy.Allow && f.Applies == policy.True }))
		}
	})
}

package connectortest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// testPlan checks that plans repeat, also in whether they are complete, name declared streams, and keep the order
// of dependence.
func (s suite) testPlan(t *testing.T) {
	t.Parallel()
	first, err := s.open(t, s.Settings(t)).Plan(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, first.Partitions, "nothing is planned")
	second, err := s.open(t, s.Settings(t)).Plan(t.Context())
	require.NoError(t, err)
	require.Equal(t, names(first), names(second), "the plan differs from session to session")
	require.Equal(t, first.Complete, second.Complete, "the plan is complete in one session only")

	last, firstAt := map[string]int{}, map[string]int{}
	seen := map[string]bool{}
	for i, p := range first.Partitions {
		s.stream(t, p)
		require.False(t, seen[name(p)], "partition %s is planned twice", name(p))
		require.LessOrEqual(t, len(p.Key), connector.MaxKeyBytes)
		seen[name(p)] = true
		if _, ok := firstAt[p.Stream]; !ok {
			firstAt[p.Stream] = i
		}
		last[p.Stream] = i
	}
	for stream, at := range firstAt {
		declared, _ := s.manifest.Stream(stream)
		for _, d := range declared.DependsOn {
			if end, planned := last[d]; planned {
				require.Greater(t, at, end, "stream %s is planned before %s is through", stream, d)
			}
		}
	}
}

func names(plan connector.Plan) []string {
	all := make([]string, len(plan.Partitions))
	for i, p := range plan.Partitions {
		all[i] = name(p)
	}
	return all
}

// testCheck checks that a check names its target and speaks of every stream.
func (s suite) testCheck(t *testing.T) {
	t.Parallel()
	result, err := s.open(t, s.Settings(t)).Check(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, result.Target.ID, "the target has no id")
	require.NotEmpty(t, result.Target.Type, "the target has no type")
	require.True(t, result.Sufficient, "a provider that denies nothing is not sufficient")
	require.Empty(t, result.Remediation, "a provider that denies nothing needs a remedy")
	outlook := map[string]connector.Coverage{}
	for _, o := range result.Streams {
		outlook[o.Stream] = o.Coverage
	}
	for _, stream := range s.manifest.Streams {
		require.Contains(t, outlook, stream.Name, "the check says nothing of a stream")
		require.NotEqual(t, connector.Partial, outlook[stream.Name], "stream %s", stream.Name)
	}
}

// testRead checks that everything can be read, twice with the same result, and
// that what is emitted fits together.
func (s suite) testRead(t *testing.T) {
	t.Parallel()
	plan, first, errs := s.readAll(t.Context(), t, s.Settings(t))
	require.Empty(t, errs)
	_, second, errs := s.readAll(t.Context(), t, s.Settings(t))
	require.Empty(t, errs)

	whole := records{}
	var relationships []connector.Relationship
	for _, p := range plan.Partitions {
		require.Nil(t, p.Skip, "partition %s is skipped although nothing is denied", name(p))
		require.Empty(t, first[name(p)].gaps(), "partition %s", name(p))
		a, b := records{}, records{}
		require.NoError(t, a.add(first[name(p)].pages), "partition %s", name(p))
		require.NoError(t, b.add(second[name(p)].pages), "partition %s", name(p))
		require.Equal(t, a, b, "partition %s reads differently the second time", name(p))
		require.NoError(t, whole.add(first[name(p)].pages), "partition %s", name(p))
		for _, page := range first[name(p)].pages {
			relationships = append(relationships, page.Relationships...)
		}
	}
	require.NotEmpty(t, whole, "nothing was read")
	for _, r := range relationships {
		require.Contains(t, whole, entityID(r.From), "%s starts nowhere", r.Kind)
		require.Contains(t, whole, entityID(r.To), "%s ends nowhere", r.Kind)
	}
}

// testResume stops after each page and goes on in a new session.
func (s suite) testResume(t *testing.T) {
	t.Parallel()
	plan, read, errs := s.readAll(t.Context(), t, s.Settings(t))
	require.Empty(t, errs)
	for _, p := range plan.Partitions {
		pages := read[name(p)].pages
		want := records{}
		require.NoError(t, want.add(pages))
		for _, i := range spread(len(pages), s.MaxResumes) {
			if pages[i].Next == "" {
				continue
			}
			rest := &recorder{stream: s.stream(t, p)}
			require.NoError(t, s.open(t, s.Settings(t)).Read(t.Context(), p, pages[i].Next, rest), "partition %s from page %d on", name(p), i)
			got := records{}
			require.NoError(t, got.add(pages[:i+1]))
			require.NoError(t, got.add(rest.pages), "partition %s from page %d on", name(p), i)
			require.Equal(t, want, got, "partition %s from page %d on", name(p), i)
		}
	}
}

// spread returns at most k of 0…n-1, evenly.
func spread(n, k int) []int {
	k = min(n, k)
	at := make([]int, k)
	for i := range at {
		at[i] = i * n / k
	}
	return at
}

// testSinkError checks that a sink's error ends the read and comes back as it is.
func (s suite) testSinkError(t *testing.T) {
	t.Parallel()
	refusal := errors.New("the sink takes no more")
	session := s.open(t, s.Settings(t))
	plan, err := session.Plan(t.Context())
	require.NoError(t, err)
	refused := 0
	for _, p := range plan.Partitions {
		writes := 0
		r := &recorder{stream: s.stream(t, p), before: func(int) error { writes++; return refusal }}
		err := session.Read(t.Context(), p, "", r)
		if writes == 0 {
			require.NoError(t, err, "partition %s", name(p))
			continue
		}
		refused++
		require.Same(t, refusal, err, "partition %s changes the sink's error", name(p))
		require.Equal(t, 1, writes, "partition %s goes on writing after an error", name(p))
	}
	require.NotZero(t, refused, "nothing was written to the sink")
}

// testCancel checks that a cancelled context ends a read before another page.
func (s suite) testCancel(t *testing.T) {
	t.Parallel()
	plan, err := s.open(t, s.Settings(t)).Plan(t.Context())
	require.NoError(t, err)
	for _, p := range plan.Partitions {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		early := &recorder{stream: s.stream(t, p)}
		require.ErrorIs(t, s.open(t, s.Settings(t)).Read(ctx, p, "", early), context.Canceled, "partition %s", name(p))
		require.Empty(t, early.pages)

		ctx, cancel = context.WithCancel(t.Context())
		late := &recorder{stream: s.stream(t, p)}
		late.before = func(int) error { cancel(); return nil }
		err := s.open(t, s.Settings(t)).Read(ctx, p, "", late)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, "partition %s", name(p))
		}
		require.Empty(t, late.pages, "partition %s writes after it was cancelled", name(p))
		cancel()
	}
}

// testClose checks that closing twice is harmless.
func (s suite) testClose(t *testing.T) {
	t.Parallel()
	session, err := s.Connector.Open(t.Context(), s.Settings(t))
	require.NoError(t, err)
	_, err = session.Plan(t.Context())
	require.NoError(t, err)
	require.NoError(t, session.Close())
	require.NoError(t, session.Close())
}

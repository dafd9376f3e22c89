package records_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// sink keeps pages, and refuses from a page on when told to.
type sink struct {
	pages  []connector.Page
	refuse error
	after  int
}

func (s *sink) Write(_ context.Context, p connector.Page) error {
	if s.refuse != nil && len(s.pages) == s.after {
		return s.refuse
	}
	s.pages = append(s.pages, p)
	return nil
}

func entity(n int) connector.Entity {
	return connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: strconv.Itoa(n)}, Name: "a", Type: "user"}
}

// read adds the items of a provider whose pages have size items, from a place on.
func read(w *records.Writer, items, size int, weights []int, from records.Place) error {
	heavy := make(json.RawMessage, 60<<10)
	begin := 0
	if from.Marker != "" {
		begin, _ = strconv.Atoi(from.Marker)
	}
	for n := begin; n < items; n++ {
		if n%size == 0 {
			if err := w.At(records.Place{Step: "list", Marker: strconv.Itoa(n)}); err != nil {
				return err
			}
		}
		e := entity(n)
		e.Attributes = heavy[:weights[n%len(weights)]]
		w.Entity(e)
	}
	return w.Finish()
}

// Whatever the sizes of the provider's pages and of its items: pages are within the
// contract, nothing is left out, and from each cursor on the rest is there.
func TestPagesHoldEverythingFromEachCursorOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.IntRange(0, 2500).Draw(t, "items")
		size := rapid.IntRange(1, 1500).Draw(t, "size")
		enough := rapid.SampledFrom([]int{1, records.Enough}).Draw(t, "enough")
		weights := rapid.SliceOfN(rapid.SampledFrom([]int{0, 10, 60 << 10}), 1, 5).Draw(t, "weights")
		var whole sink
		require.NoError(t, read(records.NewWriter(t.Context(), &whole, enough), items, size, weights, records.Place{}))

		resumed := rapid.IntRange(0, max(0, len(whole.pages)-1)).Draw(t, "resumed")
		seen := 0
		for i, p := range whole.pages {
			require.LessOrEqual(t, len(p.Entities), connector.MaxPageRecords)
			weight := 0
			for _, e := range p.Entities {
				require.Equal(t, strconv.Itoa(seen), e.Ref.ID)
				weight += len(e.Attributes)
				seen++
			}
			require.True(t, weight <= 2<<20 || len(p.Entities) == 1)
			if i == len(whole.pages)-1 {
				require.Empty(t, p.Next)
				break
			}
			place, err := records.ParsePlace(p.Next)
			require.NoError(t, err)
			marker, err := strconv.Atoi(place.Marker)
			require.NoError(t, err)
			require.LessOrEqual(t, marker, seen, "a cursor is never behind what it has not sent")
			if i != resumed {
				continue
			}
			var rest sink
			require.NoError(t, read(records.NewWriter(t.Context(), &rest, enough), items, size, weights, place))
			again := 0
			for _, p := range rest.pages {
				again += len(p.Entities)
			}
			require.Equal(t, items-marker, again)
		}
		require.Equal(t, items, seen)
	})
}

func TestTheSinksErrorIsKeptAndNothingIsWrittenAfterIt(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	s := &sink{refuse: full, after: 1}
	w := records.NewWriter(t.Context(), s, 1)
	weights := []int{0}
	require.ErrorIs(t, read(w, 10, 2, weights, records.Place{}), full)
	require.ErrorIs(t, w.Err(), full)
	s.refuse = nil
	w.Entity(entity(99))
	require.ErrorIs(t, w.Finish(), full)
	require.Len(t, s.pages, 1)
}

// A read that ends early hands over what it has when it may go on later, from the
// last place that was stated.
func TestWhatIsGatheredSurvivesAnErrorThatMayPass(t *testing.T) {
	t.Parallel()
	passing := &connector.Error{Category: connector.Throttled, Message: "too fast"}
	for name, test := range map[string]struct {
		err   error
		place bool
		pages int
	}{
		"may pass":         {passing, true, 1},
		"nowhere to go":    {passing, false, 0},
		"does not pass":    {&connector.Error{Category: connector.CredentialInvalid, Message: "no"}, true, 0},
		"not the contract": {errors.New("other"), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s sink
			w := records.NewWriter(t.Context(), &s, records.Enough)
			w.Entity(entity(1))
			if test.place {
				require.NoError(t, w.At(records.Place{Step: "list", Marker: "1"}))
			}
			w.Entity(entity(2))
			require.ErrorIs(t, w.Fail(test.err), test.err)
			require.Len(t, s.pages, test.pages)
			if test.pages == 1 {
				place, err := records.ParsePlace(s.pages[0].Next)
				require.NoError(t, err)
				require.Equal(t, "1", place.Marker)
				require.Len(t, s.pages[0].Entities, 2)
			}
		})
	}
	full := errors.New("full")
	w := records.NewWriter(t.Context(), &sink{refuse: full}, records.Enough)
	require.NoError(t, w.At(records.Place{Step: "list"}))
	w.Entity(entity(1))
	require.ErrorIs(t, w.Fail(passing), full, "the sink's error comes first")
}

func TestNothingIsWrittenOnceTheContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var s sink
	w := records.NewWriter(ctx, &s, 1)
	w.Entity(entity(1))
	cancel()
	require.ErrorIs(t, w.Finish(), context.Canceled)
	require.Empty(t, s.pages)
}

func TestRepeatsAreSentOnce(t *testing.T) {
	t.Parallel()
	var s sink
	w := records.NewWriter(t.Context(), &s, records.Enough)
	denied := connector.Error{Category: connector.PermissionDenied, Message: "missing read", Permission: "read"}
	for range 2 {
		w.Once(entity(1))
		w.Gap(denied)
	}
	require.True(t, w.Has(entity(1).Ref))
	require.False(t, w.Has(entity(2).Ref))
	w.Mark(entity(2).Ref)
	w.Once(entity(2))
	w.Relate(connector.AccountAssignedEntitlement, entity(1).Ref, entity(2).Ref)
	require.NoError(t, w.Finish())
	require.Equal(t, []connector.Page{{
		Entities:      []connector.Entity{entity(1)},
		Relationships: []connector.Relationship{{Kind: connector.AccountAssignedEntitlement, From: entity(1).Ref, To: entity(2).Ref}},
		Gaps:          []connector.Error{denied},
	}}, s.pages)
}

func TestAGapAloneMakesAPage(t *testing.T) {
	t.Parallel()
	var s sink
	w := records.NewWriter(t.Context(), &s, records.Enough)
	w.Gap(connector.Error{Category: connector.PermissionDenied, Message: "missing read"})
	require.NoError(t, w.Finish())
	require.Len(t, s.pages, 1)
	require.NoError(t, records.NewWriter(t.Context(), &s, records.Enough).Finish())
	require.Len(t, s.pages, 1, "a partition with nothing in it has no page")
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	for _, foreign := range []connector.Cursor{"x", "{}", `{"marker":"7"}`, "[]", `"list"`} {
		_, err := records.ParsePlace(foreign)
		require.Equal(t, connector.ContractViolation, connector.AsError(err).Category, foreign)
	}
	start, err := records.ParsePlace("")
	require.NoError(t, err)
	require.Zero(t, start)
}

func TestPlacesSurviveTheirCursor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := records.Place{
			Step: rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "step"), Marker: rapid.String().Draw(t, "marker"), After: rapid.String().Draw(t, "after"),
		}
		c, err := p.Cursor()
		require.NoError(t, err)
		got, err := records.ParsePlace(c)
		require.NoError(t, err)
		require.Equal(t, p, got)
	})
}

func TestAttributesKeepWhatIsSet(t *testing.T) {
	t.Parallel()
	var never *time.Time
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	require.JSONEq(t, `{"active":false,"at":"2026-01-02T02:04:05Z","name":"n","none":0}`, string(records.Attributes(map[string]any{
		"nil": nil, "empty": "", "list": []string{}, "map": map[string]string{}, "maps": []map[string]any{}, "document": json.RawMessage(nil), "never": never,
		"active": false, "none": 0, "name": "n", "at": &at,
	})))
	require.Nil(t, records.Attributes(map[string]any{"empty": "", "never": never}))
	require.Nil(t, records.Attributes(nil))
}

func TestAttributesThatAreTooLargeLeaveOutTheSpare(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", connector.MaxAttributesBytes)
	fields := func() map[string]any { return map[string]any{"id": "7", "first": "small", "document": large} }
	require.JSONEq(t, `{"id":"7","omitted":["first","document"]}`, string(records.Attributes(fields(), "first", "document", "id")))
	require.Nil(t, records.Attributes(fields(), "first"), "too large even so")
}

func TestNamesAreWithinTheContract(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat(rapid.String().Draw(t, "text"), rapid.IntRange(1, 400).Draw(t, "times"))
		name := records.Name(text)
		require.LessOrEqual(t, len(name), connector.MaxNameBytes)
		require.NotContains(t, name, "\x00")
		if len(text) <= connector.MaxNameBytes {
			require.Equal(t, strings.ReplaceAll(text, "\x00", ""), name)
		} else {
			require.Equal(t, strings.ToValidUTF8(name, ""), name, "no character is broken")
		}
	})
}

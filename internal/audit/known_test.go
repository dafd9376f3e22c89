package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// declared are all constants of type Action, read from the source.
func declared(t *testing.T) (found []audit.Action) {
	t.Helper()
	for _, path := range []string{"event.go", "people.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if kind, typed := spec.Type.(*ast.Ident); ok && (!typed || kind.Name == "Action") {
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				found = append(found, audit.Action(text))
			}
			return true
		})
	}
	require.Greater(t, len(found), 60)
	return found
}

func TestActionsAreAllThatAreDeclared(t *testing.T) {
	t.Parallel()
	require.Empty(t, cmp.Diff(slices.Sorted(slices.Values(declared(t))), slices.Sorted(slices.Values(audit.Actions()))))
	require.True(t, slices.IsSorted(audit.TargetTypes()))
}

// Who looks for an action finds its name in the manual.
func TestTheManualListsEveryAction(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	for _, a := range audit.Actions() {
		require.Contains(t, string(manual), "`"+string(a)+"`")
	}
	for _, target := range audit.TargetTypes() {
		require.Contains(t, string(manual), "\n| `"+target+"` |")
	}
}

func TestAnEventOfNoKnownSortIsRefused(t *testing.T) {
	t.Parallel()
	e := audit.Event{Action: audit.RunStarted, TargetType: "run"}
	require.NoError(t, e.Check())
	e.TargetType = "runs"
	require.ErrorContains(t, e.Check(), "run_started is about the target type \"runs\"")
	e.Action = "run_startet"
	require.ErrorContains(t, e.Check(), "run_startet")
}

func TestAFilterThatCouldFindNothingIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		filter audit.Filter
		want   []fault.Field
	}{
		"nothing": {},
		"known":   {filter: audit.Filter{Action: audit.MemberInvited, TargetType: "member", Since: now}},
		"action": {
			audit.Filter{Action: "connection_create"},
			[]fault.Field{{Path: "query.action", Message: "is no action; did you mean connection_created?"}},
		},
		"case": {
			audit.Filter{Action: "Run_Failed"},
			[]fault.Field{{Path: "query.action", Message: "is no action; did you mean run_failed?"}},
		},
		"far, and both": {
			audit.Filter{Action: "x", TargetType: "connections"},
			[]fault.Field{
				{Path: "query.action", Message: "is no action; actions are called after what was done, such as connection_created; the operations manual lists them"},
				{Path: "query.target_type", Message: "is nothing that events are about; did you mean connection?"},
			},
		},
		"time": {audit.Filter{Since: now, Until: now}, []fault.Field{{Path: "query.until", Message: "must be later than since"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.filter.Check()
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			refused, ok := fault.As(err)
			require.True(t, ok)
			require.Equal(t, fault.Invalid, refused.Kind)
			require.Empty(t, cmp.Diff(c.want, refused.Fields))
		})
	}
}

// One slip in a name never answers with an empty list, and is told what it was,
// unless what came out is the name of another.
func TestASlipInAnActionIsNamed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SampledFrom(audit.Actions()).Draw(t, "action"))
		at := rapid.IntRange(0, len(name)-1).Draw(t, "at")
		given := name[:at] + strings.ToUpper(rapid.StringMatching("[a-z]?").Draw(t, "slip")) + name[at+1:]
		err := audit.Filter{Action: audit.Action(given)}.Check()
		require.ErrorContains(t, err, "did you mean ")
	})
}

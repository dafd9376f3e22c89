package output_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
)

func TestTableIsAlignedAndCut(t *testing.T) {
	t.Parallel()
	table := output.Table{
		Header: []string{"Name", "Kind", "Empty"},
		Rows:   [][]string{{"ann", "Account", ""}, {"payroll-archive", "Resource", ""}},
	}
	var wide strings.Builder
	require.NoError(t, table.Write(&wide, 0))
	require.Equal(t, ""+
		"NAME             KIND      EMPTY\n"+
		"ann              Account\n"+
		"payroll-archive  Resource\n", wide.String())

	var narrow strings.Builder
	require.NoError(t, table.Write(&narrow, 20))
	require.Equal(t, ""+
		"NAME             KI…\n"+
		"ann              Ac…\n"+
		"payroll-archive  Re…\n", narrow.String())
}

func TestTableWithoutRowsSaysSo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, output.Table{Header: []string{"Name"}, Empty: "Nothing."}.Write(&b, 80))
	require.Equal(t, "Nothing.\n", b.String())
}

func TestFieldsLeaveOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, output.Fields(&b, []output.Field{{Name: "Run", Value: "run_1"}, {Name: "Much longer"}, {Name: "Status", Value: "queued"}}))
	require.Equal(t, "Run     run_1\nStatus  queued\n", b.String())
}

func TestTreeIsIndented(t *testing.T) {
	t.Parallel()
	root := output.Node{Text: "a", Children: []output.Node{
		{Text: "b", Children: []output.Node{{Text: "c"}}},
		{Text: "d", Children: []output.Node{{Text: "e"}}},
	}}
	var b strings.Builder
	require.NoError(t, output.Tree(&b, 0, root))
	require.Equal(t, "a\n├─ b\n│  └─ c\n└─ d\n   └─ e\n", b.String())
}

func TestNothingPrintedActsUponTheTerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var b strings.Builder
		require.NoError(t, output.Table{Header: []string{"Name"}, Rows: [][]string{{text}}}.Write(&b, 40))
		require.NoError(t, output.Fields(&b, []output.Field{{Name: "Name", Value: text}}))
		require.NoError(t, output.Tree(&b, 40, output.Node{Text: text}))
		for _, r := range b.String() {
			require.False(t, r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r), "%q", r)
		}
	})
}

func TestTimeIsUTC(t *testing.T) {
	t.Parallel()
	paris := time.FixedZone("", 3600)
	at := time.Date(2026, 2, 6, 11, 12, 0, 0, paris)
	require.Equal(t, "2026-02-06 10:12:00Z", output.Time(&at))
	require.Equal(t, "-", output.Time(nil))
}

func TestJSONKeepsWhatWasSent(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, output.JSON(&b, []byte(`{"b":1.50,"a":"<&>"}`)))
	require.Equal(t, "{\n  \"b\": 1.50,\n  \"a\": \"<&>\"\n}\n", b.String())
	require.Error(t, output.JSON(&b, []byte(`{`)))
}

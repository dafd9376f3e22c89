package completion_test

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/cli/completion"
)

type grammar struct {
	Verbose bool `short:"v"`
	Runs    struct {
		List struct {
			Status string `enum:"queued,running," default:""`
		} `cmd:"" default:"withargs"`
		Show struct {
			Output string `short:"o" enum:"table,json" default:"table"`
			File   string `complete:"files"`
			Run    string `arg:"" complete:"runs"`
		} `cmd:"" help:"Show one."`
	} `cmd:"" aliases:"r"`
	Secret struct{} `cmd:"" hidden:""`
}

func suggest(t *testing.T, words ...string) completion.Answer {
	t.Helper()
	parser, err := kong.New(&grammar{}, kong.Name("gatehouse"))
	require.NoError(t, err)
	return completion.Suggest(parser.Model, words, func(kind string) []completion.Candidate {
		require.Equal(t, "runs", kind)
		return []completion.Candidate{{Word: "run_1"}, {Word: "run_2"}}
	})
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                              "runs",
		"r":                             "runs",
		"x":                             "",
		"runs ":                         "list show",
		"r s":                           "show",
		"runs --st":                     "--status",
		"runs --status ":                "queued running",
		"runs list --status=q":          "--status=queued",
		"runs show ":                    "run_1 run_2",
		"runs show run_1 ":              "",
		"runs show --v":                 "--verbose",
		"runs show -o ":                 "table json",
		"runs show -v ":                 "run_1 run_2",
		"runs show --output json run_2": "run_2",
		"runs show -- --":               "",
		"runs show -- ":                 "run_1 run_2",
	} {
		var got []string
		for _, c := range suggest(t, strings.Split(line, " ")...).Candidates {
			got = append(got, c.Word)
		}
		require.Equal(t, want, strings.Join(got, " "), "%q", line)
	}
	require.True(t, suggest(t, "runs", "show", "--file", "").Files)
	require.False(t, suggest(t, "runs", "show", "").Files)
	require.Equal(t, "Show one.", suggest(t, "runs", "s").Candidates[0].Help)
	require.NotEmpty(t, suggest(t).Candidates)
}

func TestSplitReadsAsAShellDoes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		`gatehouse`:                       {},
		`gatehouse `:                      {""},
		`gatehouse  runs  sh`:             {"runs", "sh"},
		`gatehouse --name "Prod AWS" x`:   {"--name", "Prod AWS", "x"},
		`gatehouse --name 'a\b' Prod\ A`:  {"--name", `a\b`, "Prod A"},
		`gatehouse "open quo`:             {"open quo"},
		`gatehouse --set=a="b c"d --x=1:`: {"--set=a=b cd", "--x=1:"},
		`gatehouse "" `:                   {"", ""},
	} {
		require.Equal(t, want, completion.Split(line), line)
	}
}

func TestTailIsBehindTheLastBreak(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"--output=j", "--output=json", "json"},
		{"daily@0", "daily@02:00", "daily@02:00"},
		{"daily@02:", "daily@02:00", "00"},
		{"run", "runs", "runs"},
	} {
		require.Equal(t, c[2], completion.Tail(c[0], completion.Candidate{Word: c[1]}).Word)
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := completion.Script(shell)
		require.NoError(t, err)
		require.Contains(t, script, "__complete")
	}
	_, err := completion.Script("csh")
	require.Error(t, err)
}

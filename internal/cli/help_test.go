package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/cli/completion"
)

func testParser(t *testing.T) *kong.Kong {
	t.Helper()
	var nowhere strings.Builder
	parser, err := newParser(t.Context(), &environment{Streams: Streams{Out: &nowhere, Err: &nowhere}})
	require.NoError(t, err)
	return parser
}

// examples returns the command lines in a help: indented lines that call
// gatehouse, continued lines joined.
func examples(help string) []string {
	var found []string
	for _, line := range strings.Split(strings.ReplaceAll(help, "\\\n", " "), "\n") {
		if strings.HasPrefix(line, "    ") && strings.Contains(line, "gatehouse ") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// arguments returns what an example gives to gatehouse.
func arguments(example string) []string {
	if _, inside, ok := strings.Cut(example, "<("); ok {
		example = strings.TrimSuffix(inside, ")")
	}
	for _, end := range []string{" > ", " | "} {
		example, _, _ = strings.Cut(example, end)
	}
	words := completion.Split("shell " + strings.TrimSpace(example))
	for len(words) > 0 && words[0] != "gatehouse" {
		words = words[1:]
	}
	return words[1:]
}

func TestEveryCommandTeachesByAnExampleThatParses(t *testing.T) {
	t.Parallel()
	parser := testParser(t)
	for _, command := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(command.FullPath(), "gatehouse ")
		require.NotEmpty(t, command.Help, path)
		require.False(t, strings.HasPrefix(command.Detail, " "), "%s begins with an example, which loses its indent when the help is printed", path)
		given := examples(command.Detail)
		require.NotEmpty(t, given, "%s has no example", path)
		own := false
		for _, example := range given {
			parsed, err := testParser(t).Parse(withRequired(arguments(example)))
			require.NoError(t, err, example)
			own = own || strings.HasPrefix(parsed.Command(), strings.Split(path, " <")[0])
		}
		require.True(t, own, "%s has no example of its own", path)
	}
}

// withRequired adds what an example takes from the environment.
func withRequired(args []string) []string {
	if args[0] == "serve" || (args[0] == "keys" && args[1] != "create" && !slices.Contains(args, "--data-dir")) {
		return append(args, "--database-url=postgres://db")
	}
	return args
}

func TestTheFirstStepsParse(t *testing.T) {
	t.Parallel()
	steps := 0
	for _, line := range strings.Split(topics, "\n") {
		if !strings.HasPrefix(line, "  gatehouse ") {
			continue
		}
		line, _, _ = strings.Cut(line, "   ")
		line = strings.TrimSpace(line)
		if comment := strings.Index(line, "  "); comment > 0 {
			line = line[:comment]
		}
		_, err := testParser(t).Parse(arguments(line))
		require.NoError(t, err, line)
		steps++
	}
	require.Equal(t, 5, steps)
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"manual", "hourly@00", "hourly@15", "daily@02:00", "daily@23:59@Europe/Paris", "weekly@mon@02:00", "weekly@sun@00:00@UTC", "hourly@15@Asia/Kathmandu", "cron@30 2 * * 1-5", "daily@02:00~0", "cron@*/5 * * * *@Europe/Paris~720",
	} {
		s, err := parseSchedule(text)
		require.NoError(t, err, text)
		require.Equal(t, text, formatSchedule(*s))
	}
	s, err := parseSchedule("weekly@Thursday@7:05")
	require.NoError(t, err)
	require.Equal(t, "weekly@thu@07:05", formatSchedule(*s))
	for _, text := range []string{
		"", "never", "manual@UTC", "hourly", "hourly@60", "hourly@-1", "daily@24:00", "daily@2", "daily@02:00@UTC@x", "weekly@02:00",
		"weekly@xyz@02:00", "weekly@mo@02:00", "daily@02:0000", "cron@", "daily@02:00~", "daily@02:00~721", "daily@02:00~-1", "manual~5", "~5",
	} {
		_, err := parseSchedule(text)
		require.Error(t, err, text)
	}
}

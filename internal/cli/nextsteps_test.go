package cli

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

func TestStepsNameTheCommandThatTakesThem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		href   string
		action operation.ActionType
		want   string
	}{
		{"/v1/runs/run_5", operation.ActView, "gatehouse runs watch run_5"},
		{"/v1/runs/run_5", operation.ActWait, "gatehouse runs watch run_5"},
		{"/v1/runs/run_5/cancel", operation.ActCancel, "gatehouse runs cancel run_5"},
		{"/v1/connections/conn_1", operation.ActEnableConnection, "gatehouse connections enable conn_1"},
		{"/v1/connections/conn_1", operation.ActEditConnection, "gatehouse connections edit conn_1 --help"},
		{"/v1/connections/conn_1/test", operation.ActStart, "gatehouse connections test conn_1"},
		{"/v1/connections", operation.ActCreateConnection, "gatehouse connections create --help"},
		{"/v1/connections", operation.ActEditConnection, ""},
		{"/v1/onboarding/onb_3/resume", "resume", "gatehouse onboard resume onb_3"},
		{"/v1/onboarding", "start_onboarding", ""},
		{"/v1/licence", operation.ActSeeLicence, "gatehouse licence"},
		{"", operation.ActProvider, ""},
	} {
		require.Equal(t, test.want, commandFor(client.NextStep{Href: test.href, ActionType: string(test.action)}), test.href)
	}
}

// Whatever a reason has a person do, the command that is named is one.
func TestStepsOfAllReasonsNameCommandsThatThereAre(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, code := range operation.Codes() {
		for _, step := range operation.NextSteps(code, "conn_1") {
			named[commandFor(client.NextStep{Href: step.Href, ActionType: string(step.ActionType)})] = true
		}
	}
	delete(named, "")
	require.GreaterOrEqual(t, len(named), 5)
	for command := range named {
		args := strings.Fields(strings.TrimSuffix(command, " --help"))[1:]
		parser, err := newParser(t.Context(), &environment{Streams: Streams{Out: io.Discard, Err: io.Discard}})
		require.NoError(t, err)
		_, err = parser.Parse(args)
		if err != nil { // what is left to say is not said here
			require.Contains(t, err.Error(), "missing", command)
		}
	}
}

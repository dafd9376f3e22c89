package cli

import (
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

func (e *environment) printNextSteps(steps []client.NextStep) error {
	var lines []string
	for _, step := range steps {
		line := strings.TrimSuffix(step.Label+". "+step.Description, ". ")
		if command := commandFor(step); command != "" {
			line = strings.TrimSuffix(line, ".") + ": " + command
		}
		lines = append(lines, line)
	}
	return e.printLines("Next steps", lines)
}

// commandFor is how a step is taken on the command line; empty when no command
// takes it, or what it needs is for the reader to choose.
func commandFor(step client.NextStep) string {
	path, ok := strings.CutPrefix(step.Href, "/v1/")
	if !ok {
		return ""
	}
	noun, rest, _ := strings.Cut(path, "/")
	id, verb, _ := strings.Cut(rest, "/")
	switch {
	case noun == "runs" && verb == "cancel":
		return "gatehouse runs cancel " + id
	case noun == "runs" && id != "":
		return "gatehouse runs watch " + id
	case noun == "connections" && verb == "test":
		return "gatehouse connections test " + id
	case noun == "connections" && step.ActionType == "enable_connection":
		return "gatehouse connections enable " + id
	case noun == "connections" && step.ActionType == "create_connection":
		return "gatehouse connections create --help"
	case noun == "connections" && id != "":
		return "gatehouse connections edit " + id + " --help"
	case noun == "onboarding" && verb != "":
		return "gatehouse onboard resume " + id
	case noun == "licence":
		return "gatehouse licence"
	case noun == "integrations":
		return "gatehouse integrations"
	}
	return ""
}

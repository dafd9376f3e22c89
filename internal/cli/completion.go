package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/cli/completion"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// CompletionCmd is `gatehouse completion`.
type CompletionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help returns examples.
func (CompletionCmd) Help() string {
	return `Completes commands, flags, values, and the names of what the server has.

    source <(gatehouse completion bash)
    gatehouse completion zsh > "${fpath[1]}/_gatehouse"
    gatehouse completion fish | source`
}

// Run prints a completion script.
func (cmd *CompletionCmd) Run(e *environment) error {
	script, err := completion.Script(cmd.Shell)
	if err != nil {
		return err
	}
	_, err = io.WriteString(e.Out, script)
	return err
}

// CompleteCmd is `gatehouse __complete`, which the completion scripts call.
type CompleteCmd struct {
	Words []string `arg:"" optional:"" help:"Either -- and the words up to the one to complete, or --line and the line up to the cursor."`
}

const (
	// completionTimeout is how long a press of the tab key may wait for a server.
	completionTimeout = 2 * time.Second
	// completionMost bounds how many names a server is asked for.
	completionMost = 200
)

// Run prints one candidate a line, with its help behind a tab.
func (cmd *CompleteCmd) Run(ctx context.Context, e *environment) error {
	words, split := cmd.Words, false
	if len(words) == 2 && words[0] == "--line" {
		words, split = completion.Split(words[1]), true
	} else if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	known := &names{environment: e, words: words}
	answer := completion.Suggest(e.model, words, func(kind string) []completion.Candidate { return known.list(ctx, kind) })
	for _, c := range answer.Candidates {
		if split {
			c = completion.Tail(words[len(words)-1], c)
		}
		if _, err := fmt.Fprintf(e.Out, "%s\t%s\n", c.Word, output.Clean(c.Help)); err != nil {
			return err
		}
	}
	if answer.Files {
		_, err := fmt.Fprintln(e.Out, ":files")
		return err
	}
	return nil
}

// names lists what fields can be completed with.
type names struct {
	environment *environment
	words       []string
}

func (n *names) list(ctx context.Context, kind string) []completion.Candidate {
	switch kind {
	case "contexts":
		_, known, err := loadContexts()
		if err != nil {
			return nil
		}
		var found []completion.Candidate
		for _, name := range known.Names() {
			found = append(found, completion.Candidate{Word: name, Help: known.Contexts[name].URL})
		}
		return found
	case "operations":
		return []completion.Candidate{
			{Word: "discovery.run", Help: "Read the provider and publish the graph"},
			{Word: "connection.test", Help: "Try credentials and permissions"},
			{Word: "directory.groups.sync", Help: "Copy the directory's groups"},
			{Word: "directory.role_definitions.sync", Help: "Copy the directory's role definitions"},
			{Word: "policy.backup", Help: "Copy the organisation's policies"},
			{Word: "restore.execute", Help: "Carry out a previewed restore"},
		}
	case "kinds":
		return words("Principal", "Account", "Entitlement", "Resource", "CloudAccountBoundary")
	case "actions":
		return words(audit.Actions()...)
	case "target_types":
		return words(audit.TargetTypes()...)
	case "schedules":
		return words("manual", "hourly@15", "daily@02:00", "weekly@mon@02:00")
	case "levels":
		return words("debug", "info", "warn", "error")
	}
	return n.remote(ctx, kind)
}

// remote asks the server that the command line names.
func (n *names) remote(ctx context.Context, kind string) []completion.Candidate {
	r := Remote{URL: n.flag("--url"), Context: n.flag("--context"), KeyFile: n.flag("--key-file")}
	c, err := r.client(n.environment.services.Version)
	if err != nil {
		return nil
	}
	pages := client.Pages{Limit: completionMost}
	var found []completion.Candidate
	add := func(word, help string) { found = append(found, completion.Candidate{Word: word, Help: help}) }
	// A server that does not answer completes nothing, and a list that ended
	// early completes with what it has.
	switch kind {
	case "integrations":
		l, _ := c.Integrations(ctx, pages)
		for _, i := range l.Items {
			add(i.IntegrationID, i.Name)
		}
	case "connections":
		l, _ := c.Connections(ctx, client.ConnectionFilter{}, pages)
		for _, item := range l.Items {
			add(item.ConnectionID, item.Name)
			// Other names would need quoting, which each shell does differently.
			if regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(item.Name) {
				add(item.Name, item.ConnectionID)
			}
		}
	case "runs":
		l, _ := c.Runs(ctx, client.RunFilter{}, pages)
		for _, run := range l.Items {
			add(run.RunID, strings.TrimSpace(run.OperationType+" "+run.Outcome))
		}
	}
	return found
}

// flag returns the value that a flag has on the command line so far.
func (n *names) flag(name string) string {
	for i, word := range n.words {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
		if word == name && i+1 < len(n.words)-1 {
			return n.words[i+1]
		}
	}
	return ""
}

func words[T ~string](list ...T) []completion.Candidate {
	found := make([]completion.Candidate, len(list))
	for i, word := range list {
		found[i] = completion.Candidate{Word: string(word)}
	}
	return found
}

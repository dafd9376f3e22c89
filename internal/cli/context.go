package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/contexts"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// ContextCmd is `gatehouse context`.
type ContextCmd struct {
	List   ContextListCmd   `cmd:"" default:"withargs" help:"List the contexts."`
	Set    ContextSetCmd    `cmd:"" help:"Keep a server and its key under a name."`
	Use    ContextUseCmd    `cmd:"" help:"Make a context the current one."`
	Remove ContextRemoveCmd `cmd:"" help:"Forget a context and its key."`
}

// ContextListCmd is `gatehouse context list`.
type ContextListCmd struct{}

// Help returns examples.
func (ContextListCmd) Help() string {
	return `Keys are not shown. The file is gatehouse/contexts.json in the user's configuration directory.

    gatehouse context list`
}

// Run lists the contexts.
func (*ContextListCmd) Run(e *environment) error {
	_, known, err := loadContexts()
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Current", "Name", "URL"}, Empty: "There are no contexts. Make one: gatehouse context set NAME --url URL"}
	for _, name := range known.Names() {
		current := ""
		if name == known.Current {
			current = "*"
		}
		t.Rows = append(t.Rows, []string{current, name, known.Contexts[name].URL})
	}
	return t.Write(e.Out, e.width())
}

// ContextSetCmd is `gatehouse context set`.
type ContextSetCmd struct {
	Name    string `arg:"" help:"Name of the context."`
	URL     string `required:"" placeholder:"URL" help:"Address of the server."`
	KeyFile string `type:"path" complete:"files" placeholder:"PATH" help:"File that holds the API key, - for standard input; without it you are asked, or GATEHOUSE_API_KEY is taken."`
}

// Help returns examples.
func (ContextSetCmd) Help() string {
	return `The first context becomes the current one. The key is asked for on a terminal, so that it appears in no history and no list of processes.

    gatehouse context set prod --url https://gatehouse.example.com
    gatehouse context set dev --url http://127.0.0.1:8642 --key-file .gatehouse/dev/admin.key

With --key-file - the key comes from standard input, such as that of a password manager:

    gatehouse context set prod --url https://gatehouse.example.com --key-file -`
}

// Run keeps a context.
func (cmd *ContextSetCmd) Run(ctx context.Context, e *environment) error {
	key, err := cmd.key(ctx, e)
	if err != nil {
		return err
	}
	if _, err := client.New(cmd.URL, secret.FromString(key), e.services.Version); err != nil {
		return usagef("--url: %v", err)
	}
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	known.Contexts[cmd.Name] = contexts.Context{URL: cmd.URL, APIKey: key}
	if known.Current == "" {
		known.Current = cmd.Name
	}
	if err := known.Save(path); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "Kept %s in %s.\n", cmd.Name, path)
	return nil
}

// maxKey is above what any API key has.
const maxKey = 4 << 10

func (cmd *ContextSetCmd) key(ctx context.Context, e *environment) (string, error) {
	switch cmd.KeyFile {
	case "":
	case "-":
		raw, err := io.ReadAll(io.LimitReader(e.In, maxKey))
		if err != nil {
			return "", fmt.Errorf("read the API key: %w", err)
		}
		key, err := oneKey("standard input", raw)
		if err != nil {
			return "", unreadable("--key-file", err)
		}
		return key, nil
	default:
		key, err := readKey(cmd.KeyFile)
		if err != nil {
			return "", unreadable("--key-file", err)
		}
		return key, nil
	}
	if key := os.Getenv("GATEHOUSE_API_KEY"); key != "" {
		return key, nil
	}
	if !e.interactive() {
		return "", usagef("the API key is missing: give it with --key-file or GATEHOUSE_API_KEY")
	}
	ask, err := e.newPrompt(ctx)
	if err != nil {
		return "", err
	}
	defer ask.done()
	key, err := ask.Ask("API key (not shown): ", true)
	if err != nil {
		return "", fmt.Errorf("read the API key: %w", err)
	}
	if key == "" {
		return "", usagef("the API key is empty")
	}
	return key, nil
}

// ContextUseCmd is `gatehouse context use`.
type ContextUseCmd struct {
	Name string `arg:"" complete:"contexts" help:"Name of the context."`
}

// Help returns examples.
func (ContextUseCmd) Help() string {
	return "Commands that name no other server talk to this one.\n\n    gatehouse context use prod"
}

// Run makes a context the current one.
func (cmd *ContextUseCmd) Run(e *environment) error {
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	if err := mustKnow(known, cmd.Name); err != nil {
		return err
	}
	known.Current = cmd.Name
	if err := known.Save(path); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is the current context.\n", cmd.Name)
	return nil
}

// ContextRemoveCmd is `gatehouse context remove`.
type ContextRemoveCmd struct {
	Name string `arg:"" complete:"contexts" help:"Name of the context."`
}

// Help returns examples.
func (ContextRemoveCmd) Help() string {
	return `The key is forgotten here and stays valid at the server; revoke it there with gatehouse api-keys revoke.

    gatehouse context remove prod`
}

// Run forgets a context.
func (cmd *ContextRemoveCmd) Run(e *environment) error {
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	if err := mustKnow(known, cmd.Name); err != nil {
		return err
	}
	delete(known.Contexts, cmd.Name)
	if known.Current == cmd.Name {
		known.Current = ""
	}
	if err := known.Save(path); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is forgotten here; its key stays valid at the server.\n", cmd.Name)
	return nil
}

func loadContexts() (path string, known contexts.File, err error) {
	if path, err = contexts.Path(); err != nil {
		return "", known, err
	}
	known, err = contexts.Load(path)
	return path, known, err
}

// sessionContext returns the context of that name, or the current one, with its name;
// none that holds no session.
func sessionContext(known contexts.File, name string) (string, contexts.Context) {
	if name == "" {
		name = known.Current
	}
	c, ok := known.Contexts[name]
	if !ok || c.Session == nil {
		return "", contexts.Context{}
	}
	return name, c
}

func mustKnow(known contexts.File, name string) error {
	if _, ok := known.Contexts[name]; ok {
		return nil
	}
	return &notFoundError{fmt.Sprintf("there is no context %q; known are: %s", name, output.OrNone(strings.Join(known.Names(), ", ")))}
}

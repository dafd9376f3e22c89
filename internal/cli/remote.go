package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

const (
	defaultListen = "127.0.0.1:8642"
	defaultURL    = "http://" + defaultListen
	// devDataDir and demoDataDir are apart, so that dev starts empty after a demo.
	devDataDir  = ".gatehouse/dev"
	demoDataDir = ".gatehouse/demo"
	// adminKeyFile is where `gatehouse dev` keeps its first key, in the data
	// directory.
	adminKeyFile = "admin.key"
)

// Remote is the flags of every command that calls a server.
type Remote struct {
	URL     string `group:"Server:" placeholder:"URL" xor:"server" help:"Address of the server ($GATEHOUSE_URL)."`
	Context string `group:"Server:" placeholder:"NAME" xor:"server" complete:"contexts" help:"Context to use instead of the current one ($GATEHOUSE_CONTEXT)."`
	KeyFile string `group:"Server:" placeholder:"PATH" type:"path" complete:"files" help:"File that holds the API key; otherwise $GATEHOUSE_API_KEY or the context's."`
	Output  string `short:"o" enum:"table,json" default:"table" help:"What to print: table for people, json for the API's own answer (table, json)."`
}

// noServer is the way out where no server is named.
const noServer = "no server is named: run gatehouse dev in this directory, set GATEHOUSE_URL and GATEHOUSE_API_KEY, or keep them with gatehouse context set NAME --url URL"

// client returns a client of the server that the flags, the environment, the
// contexts, or a `gatehouse dev` of GATEHOUSE_DATA_DIR or else of this directory
// name, in this order.
func (r *Remote) client(version string) (*client.Client, error) {
	address, key, err := r.server()
	if err != nil {
		return nil, err
	}
	if r.KeyFile != "" {
		if key, err = readKey(r.KeyFile); err != nil {
			return nil, err
		}
	}
	c, err := client.New(address, secret.FromString(key), version)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return c, nil
}

func (r *Remote) server() (address, key string, err error) {
	environmentURL, environmentKey := os.Getenv("GATEHOUSE_URL"), os.Getenv("GATEHOUSE_API_KEY")
	switch {
	case r.Context != "":
		return fromContext(r.Context)
	case r.URL != "":
		return r.URL, environmentKey, nil
	case environmentURL != "":
		return environmentURL, environmentKey, nil
	case environmentKey != "":
		return defaultURL, environmentKey, nil
	case os.Getenv("GATEHOUSE_CONTEXT") != "":
		return fromContext(os.Getenv("GATEHOUSE_CONTEXT"))
	}
	_, known, err := loadContexts()
	if err != nil {
		return "", "", err
	}
	if known.Current != "" {
		return fromContext(known.Current)
	}
	key, err = readKey(filepath.Join(localDataDir(), adminKeyFile))
	switch {
	case err == nil:
		return defaultURL, key, nil
	case r.KeyFile != "":
		return defaultURL, "", nil
	case errors.Is(err, fs.ErrNotExist):
		return "", "", usagef("%s", noServer)
	}
	return "", "", err
}

// localDataDir is where a `gatehouse dev` of this directory or of this
// environment keeps its data.
func localDataDir() string {
	if dir := os.Getenv("GATEHOUSE_DATA_DIR"); dir != "" {
		return dir
	}
	return devDataDir
}

func fromContext(name string) (address, key string, err error) {
	_, known, err := loadContexts()
	if err != nil {
		return "", "", err
	}
	if err := mustKnow(known, name); err != nil {
		return "", "", err
	}
	return known.Contexts[name].URL, known.Contexts[name].APIKey, nil
}

func readKey(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the API key: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// json says that the API's own answer is wanted.
func (r *Remote) json() bool { return r.Output == "json" }

// printJSON prints an answer as it was sent.
func (e *environment) printJSON(raw json.RawMessage) error { return output.JSON(e.Out, raw) }

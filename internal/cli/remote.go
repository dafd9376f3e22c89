package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/contexts"
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
	// tenantKeyFile is where it keeps the tenant administrator's.
	tenantKeyFile = "tenant-admin.key"
	// addressFile is where it says, while it runs, at which address it serves.
	addressFile = "address"
)

// devAddress is where the `gatehouse dev` of this directory serves.
func devAddress() string {
	kept, err := os.ReadFile(filepath.Join(localDataDir(), addressFile))
	if address := strings.TrimSpace(string(kept)); err == nil && address != "" {
		return address
	}
	return defaultURL
}

// Remote is the flags of every command that calls a server.
type Remote struct {
	URL       string `group:"Server:" placeholder:"URL" xor:"server" help:"Address of the server ($GATEHOUSE_URL)."`
	Context   string `group:"Server:" placeholder:"NAME" xor:"server" complete:"contexts" help:"Context to use instead of the current one ($GATEHOUSE_CONTEXT)."`
	KeyFile   string `group:"Server:" placeholder:"PATH" type:"path" complete:"files" help:"File that holds the API key; otherwise $GATEHOUSE_API_KEY or the context's."`
	Workspace string `group:"Server:" placeholder:"ID" help:"Workspace to work in, of those that you are a member of ($GATEHOUSE_WORKSPACE)."`
	Output    string `short:"o" enum:"table,json" default:"table" help:"What to print: table for people, json for the API's own answer (table, json)."`
}

// noServer is the way out where no server is named.
const noServer = "no server is named: run gatehouse dev in this directory, set GATEHOUSE_URL and GATEHOUSE_API_KEY, or keep them with gatehouse context set NAME --url URL"

// tenantWorkspace names the tenant level where a workspace would be named.
const tenantWorkspace = "tenant"

// destination is a server and what to show it.
type destination struct {
	address, key string
	// workspace is where to work, and context the one that it came from.
	workspace, context string
	session            *contexts.Session
}

// client returns a client of the server that the flags, the environment, the
// contexts, or a `gatehouse dev` of GATEHOUSE_DATA_DIR or else of this directory
// name, in this order.
func (r *Remote) client(version string) (*client.Client, error) {
	return r.clientWith(version, adminKeyFile, "")
}

// tenantClient is client for what tenant administrators do.
func (r *Remote) tenantClient(version string) (*client.Client, error) {
	return r.clientWith(version, tenantKeyFile, tenantWorkspace)
}

// clientFor is client for giving a role: that of the tenant level is given there.
func (r *Remote) clientFor(role, version string) (*client.Client, error) {
	if role == "tenant_admin" {
		return r.tenantClient(version)
	}
	return r.client(version)
}

// clientWith takes the key of a `gatehouse dev` from a file. A level, when there
// is one, goes before any workspace that was chosen.
func (r *Remote) clientWith(version, devKeyFile, level string) (*client.Client, error) {
	to, err := r.server(devKeyFile)
	if err != nil {
		return nil, err
	}
	if r.KeyFile != "" {
		to.session = nil
		if to.key, err = readKey(r.KeyFile); err != nil {
			return nil, unreadable("--key-file", err)
		}
	}
	if to.session == nil && to.key == "" {
		return nil, noKey()
	}
	for _, chosen := range []string{os.Getenv("GATEHOUSE_WORKSPACE"), r.Workspace, level} {
		if chosen != "" {
			to.workspace = chosen
		}
	}
	return to.client(version)
}

// client returns a client that works there. One with a session renews it.
func (to destination) client(version string) (*client.Client, error) {
	token := to.key
	if to.session != nil {
		token = to.session.Token
	}
	c, err := client.New(to.address, secret.FromString(token), version)
	if err != nil {
		return nil, usagef("%v", err)
	}
	c = c.InWorkspace(to.workspace)
	if to.session != nil {
		c = c.Renewing(func(ctx context.Context) (secret.Secret, error) { return to.renew(ctx, version) })
	}
	return c, nil
}

func (r *Remote) server(devKeyFile string) (destination, error) {
	environmentURL, environmentKey := os.Getenv("GATEHOUSE_URL"), os.Getenv("GATEHOUSE_API_KEY")
	switch {
	case r.Context != "":
		return fromContext(r.Context)
	case r.URL != "":
		if environmentKey != "" && environmentURL != "" && environmentURL != r.URL && r.KeyFile == "" {
			return destination{}, usagef("GATEHOUSE_API_KEY is the key of GATEHOUSE_URL, %s, and is not sent to %s; give that server's key with --key-file", environmentURL, r.URL)
		}
		return destination{address: r.URL, key: environmentKey}, nil
	case environmentURL != "":
		return destination{address: environmentURL, key: environmentKey}, nil
	case environmentKey != "":
		return destination{address: defaultURL, key: environmentKey}, nil
	case os.Getenv("GATEHOUSE_CONTEXT") != "":
		return fromContext(os.Getenv("GATEHOUSE_CONTEXT"))
	}
	_, known, err := loadContexts()
	if err != nil {
		return destination{}, err
	}
	if known.Current != "" {
		return fromContext(known.Current)
	}
	key, err := readKey(filepath.Join(localDataDir(), devKeyFile))
	switch {
	case err == nil:
		return destination{address: devAddress(), key: key}, nil
	case r.KeyFile != "":
		return destination{address: devAddress()}, nil
	case errors.Is(err, fs.ErrNotExist):
		return destination{}, usagef("%s", noServer)
	}
	return destination{}, err
}

// localDataDir is where a `gatehouse dev` of this environment or else of this
// directory keeps its data.
func localDataDir() string {
	if dir := os.Getenv("GATEHOUSE_DATA_DIR"); dir != "" {
		return dir
	}
	return devDataDir
}

func fromContext(name string) (destination, error) {
	_, known, err := loadContexts()
	if err != nil {
		return destination{}, err
	}
	if err := mustKnow(known, name); err != nil {
		return destination{}, err
	}
	c := known.Contexts[name]
	return destination{address: c.URL, key: c.APIKey, session: c.Session, workspace: c.Workspace, context: name}, nil
}

func readKey(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the API key: %w", err)
	}
	return oneKey(path, raw)
}

// oneKey is the key in a file. What is no key would be refused by the HTTP
// library, whose message says nothing of a key.
func oneKey(path string, raw []byte) (string, error) {
	switch words := strings.Fields(string(raw)); len(words) {
	case 0:
		return "", fmt.Errorf("%s is empty; it has to hold the API key", path)
	case 1:
		return words[0], nil
	}
	return "", fmt.Errorf("%s holds something else than an API key", path)
}

// json says that the API's own answer is wanted.
func (r *Remote) json() bool { return r.Output == "json" }

// printJSON prints an answer as it was sent.
func (e *environment) printJSON(raw json.RawMessage) error { return output.JSON(e.Out, raw) }

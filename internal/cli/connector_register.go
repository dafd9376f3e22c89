package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/process"
	"github.com/gatehouse-project/gatehouse/internal/registration"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
	"github.com/gatehouse-project/gatehouse/internal/verify"
)

// programs is the flag of the commands that take registered connectors in.
type programs struct {
	ConnectorsFile string `env:"GATEHOUSE_CONNECTORS_FILE" type:"path" complete:"files" placeholder:"PATH" help:"File with the connectors of your own that are registered; none without it."`
}

// isolationRequired is the value of --connector-isolation that refuses to do without.
const isolationRequired = "required"

// connectorsFile is the flag of the commands that look after the file.
type connectorsFile struct {
	ConnectorsFile string `required:"" env:"GATEHOUSE_CONNECTORS_FILE" type:"path" complete:"files" placeholder:"PATH" help:"File with the registered connectors, which services and workers read."`
}

// ConnectorRegisterCmd is `gatehouse connector register`.
type ConnectorRegisterCmd struct {
	programFlags
	connectorsFile
	CPU      time.Duration `default:"1h" placeholder:"DURATION" help:"Most processor time of each of its processes in a run (${default})."`
	Isolated bool          `help:"Fail where the system cannot keep the program from the network and other processes."`
}

// Help returns examples.
func (ConnectorRegisterCmd) Help() string {
	return `Runs the program once to have it describe itself, and notes it in the file with its SHA-256: no worker starts a program that differs. It takes the place of an earlier registration of the same integration. Services show what the file says and workers run it, both once they are restarted; the program has to be at the same path on every worker. The file decides what code runs, so let only operators write it.

    gatehouse connector register ./doors --connectors-file connectors.json
    gatehouse connector register ./connector.py --interpreter "/usr/bin/python3 -I" --connectors-file connectors.json`
}

// Run registers a program.
func (cmd *ConnectorRegisterCmd) Run(ctx context.Context, e *environment) error {
	if cmd.CPU < time.Second {
		return usagef("--cpu: must be at least 1s")
	}
	program, err := cmd.program()
	if err != nil {
		return err
	}
	program.Isolated = cmd.Isolated
	sum, err := sandbox.Hash(program.Command.Program)
	if err != nil {
		return unreadable("program", err)
	}
	// What describes itself is what is pinned, whatever happens to the file meanwhile.
	program.Command.SHA256 = sum
	manifest, _, err := process.Describe(ctx, &program, slog.New(slog.NewTextHandler(e.Err, nil)))
	if err != nil {
		return err
	}
	if err := verify.CheckManifest(manifest); err != nil {
		return fmt.Errorf("its manifest is not sound: %w", err)
	}
	replaced, err := registration.Put(cmd.ConnectorsFile, registration.Registration{
		Program: program.Command.Program, Interpreter: program.Command.Interpreter, SHA256: sum, RegisteredAt: time.Now().UTC().Truncate(time.Second), Manifest: manifest,
		Limits: registration.Limits{CPUSeconds: int64(cmd.CPU / time.Second), MemoryMiB: cmd.Memory, SilenceSeconds: max(1, int64(cmd.Silence/time.Second))},
	})
	if err != nil {
		return err
	}
	done := "is registered"
	if replaced {
		done = "is registered anew"
	}
	fmt.Fprintf(e.Err, "%s %s %s with SHA-256 %s. Restart services and workers that read %s.\n",
		output.Clean(manifest.IntegrationID), output.Clean(manifest.Version), done, sum, output.Clean(filepath.Base(cmd.ConnectorsFile)))
	return nil
}

// ConnectorListCmd is `gatehouse connector list`.
type ConnectorListCmd struct {
	connectorsFile
	Output string `short:"o" enum:"table,json" default:"table" placeholder:"FORMAT" help:"table or json (${default})."`
}

// Help returns examples.
func (ConnectorListCmd) Help() string {
	return `Lists what is registered in the file, and whether the programs on this machine are still those that were.

    gatehouse connector list --connectors-file connectors.json`
}

// listedConnector is what the command answers in JSON.
type listedConnector struct {
	IntegrationID string    `json:"integration_id"`
	Version       string    `json:"version"`
	Program       string    `json:"program"`
	SHA256        string    `json:"sha256"`
	RegisteredAt  time.Time `json:"registered_at"`
	// Now is unchanged, changed or missing.
	Now string `json:"now"`
}

// Run lists registrations.
func (cmd *ConnectorListCmd) Run(e *environment) error {
	all, err := registration.Load(cmd.ConnectorsFile)
	if err != nil {
		return unreadable("--connectors-file", err)
	}
	found := make([]listedConnector, len(all))
	t := output.Table{Header: []string{"Integration", "Version", "Program", "Now", "SHA-256", "Registered"}, Empty: "No connector is registered."}
	for i, r := range all {
		found[i] = listedConnector{r.Manifest.IntegrationID, r.Manifest.Version, r.Program, r.SHA256, r.RegisteredAt, "unchanged"}
		switch sum, err := sandbox.Hash(r.Program); {
		case err != nil:
			found[i].Now = "missing"
		case sum != r.SHA256:
			found[i].Now = "changed"
		}
		t.Rows = append(t.Rows, []string{r.Manifest.IntegrationID, r.Manifest.Version, r.Program, found[i].Now, r.SHA256, output.Time(&r.RegisteredAt)})
	}
	if cmd.Output == "json" {
		raw, err := json.Marshal(map[string]any{"connectors": found})
		if err != nil {
			return err
		}
		return e.printJSON(raw)
	}
	return t.Write(e.Out, e.width())
}

// ConnectorRemoveCmd is `gatehouse connector remove`.
type ConnectorRemoveCmd struct {
	connectorsFile
	Integration string `arg:"" help:"Id of the integration, such as doors."`
}

// Help returns examples.
func (ConnectorRemoveCmd) Help() string {
	return `Takes a connector out of the file. Its connections stay, and cannot be read any more once services and workers are restarted.

    gatehouse connector remove doors --connectors-file connectors.json`
}

// Run takes a registration out.
func (cmd *ConnectorRemoveCmd) Run(e *environment) error {
	removed, err := registration.Remove(cmd.ConnectorsFile, cmd.Integration)
	if err != nil {
		return unreadable("--connectors-file", err)
	}
	if !removed {
		return &notFoundError{fmt.Sprintf("no connector %q is registered in %s", cmd.Integration, cmd.ConnectorsFile)}
	}
	fmt.Fprintf(e.Err, "%s is registered no more. Restart services and workers that read the file.\n", output.Clean(cmd.Integration))
	return nil
}

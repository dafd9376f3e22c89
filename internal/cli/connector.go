package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/process"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
	"github.com/gatehouse-project/gatehouse/internal/scaffold"
	"github.com/gatehouse-project/gatehouse/internal/verify"
)

// ConnectorCmd is `gatehouse connector`.
type ConnectorCmd struct {
	Init   ConnectorInitCmd   `cmd:"" help:"Make a connector to begin with, in Go or Python."`
	Verify ConnectorVerifyCmd `cmd:"" help:"Hold a connector that is a program to the contract."`

	Register ConnectorRegisterCmd `cmd:"" help:"Let workers run a program, pinned by its SHA-256."`
	List     ConnectorListCmd     `cmd:"" help:"List the registered connectors."`
	Remove   ConnectorRemoveCmd   `cmd:"" help:"Take a registered connector out."`
}

// ConnectorInitCmd is `gatehouse connector init`.
type ConnectorInitCmd struct {
	Language string `required:"" enum:"go,python" placeholder:"LANGUAGE" help:"go or python."`
	Folder   string `arg:"" type:"path" complete:"files" help:"Folder to make; it must not have anything in it."`
}

// Help returns examples.
func (ConnectorInitCmd) Help() string {
	return `Writes a connector that reads a made-up door controller, with the controller to try it on. It builds and runs without a network, and passes gatehouse connector verify as it is; put your provider in the controller's place.

    gatehouse connector init --language python my-connector
    gatehouse connector init --language go my-connector`
}

// Run writes the files.
func (cmd *ConnectorInitCmd) Run(e *environment) error {
	files, err := scaffold.Write(cmd.Folder, cmd.Language)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !strings.HasPrefix(f, "gatehouse/") {
			fmt.Fprintln(e.Out, output.Clean(f))
		}
	}
	fmt.Fprintf(e.Err, "Made in %s. README.md says how to go on.\n", output.Clean(cmd.Folder))
	return nil
}

// programFlags say how a program is run.
type programFlags struct {
	Program     string        `arg:"" type:"path" complete:"files" help:"The program, or a script that names its interpreter in its first line."`
	Interpreter string        `placeholder:"COMMAND" help:"What runs the program, with arguments, instead of what its first line names."`
	Memory      uint64        `default:"1024" placeholder:"MIB" help:"Most memory of each of its processes, in MiB (${default})."`
	Silence     time.Duration `default:"5m" placeholder:"DURATION" help:"How long it may say nothing while it is asked something (${default})."`
}

// program returns what the flags describe, without a manifest.
func (f programFlags) program() (process.Program, error) {
	command, err := sandbox.Resolve(f.Program, strings.Fields(f.Interpreter))
	if err != nil {
		return process.Program{}, unreadable("program", err)
	}
	limits := process.DefaultLimits()
	limits.Sandbox.Memory, limits.Silence = f.Memory<<20, f.Silence
	if err := limits.Sandbox.Validate(); err != nil {
		return process.Program{}, usagef("%v", err)
	}
	if limits.Silence <= 0 {
		return process.Program{}, usagef("--silence: must be longer than 0")
	}
	return process.Program{Command: command, Limits: limits}, nil
}

// ConnectorVerifyCmd is `gatehouse connector verify`.
type ConnectorVerifyCmd struct {
	programFlags
	Settings string `type:"path" complete:"files" placeholder:"PATH" help:"File that says what to try the connector on, such as verify.json; without it only what needs no provider is checked."`
	Output   string `short:"o" enum:"table,json" default:"table" placeholder:"FORMAT" help:"table or json (${default})."`
	Isolated bool   `help:"Fail where the system cannot keep the program from the network and other processes."`
	Verbose  bool   `short:"v" help:"Show what the connector logs."`
}

// Help returns examples.
func (ConnectorVerifyCmd) Help() string {
	return `Starts the program as a worker would, many times, and checks that it keeps to the protocol and the contract: a sound manifest, a stable plan, valid records, the same from every cursor in a new process, ends when it is told to, no silence about permissions that are missing, leave asked for before calls. The status is 5 when a check failed.

The settings name the configuration to try, what to change in it so that a permission is missing or calls are refused, and a provider to start beside it. In them ${provider} stands for that provider's address and ${env:NAME} for a variable.

    gatehouse connector verify ./doors --settings verify.json
    gatehouse connector verify ./connector.py --settings verify.json -o json`
}

// Run verifies the program.
func (cmd *ConnectorVerifyCmd) Run(ctx context.Context, e *environment) error {
	program, err := cmd.program()
	if err != nil {
		return err
	}
	program.Isolated = cmd.Isolated
	var settings *verify.Settings
	if cmd.Settings != "" {
		if settings, err = verify.Load(cmd.Settings); err != nil {
			return unreadable("--settings", err)
		}
	}
	log, stderr := slog.New(slog.DiscardHandler), io.Discard
	if cmd.Verbose {
		log, stderr = slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelDebug})), e.Err
	}
	report, err := verify.Run(ctx, verify.Options{Program: program, Settings: settings, Log: log, Stderr: stderr})
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return unreadable("program", err)
	}
	if err != nil {
		return err
	}
	if err := cmd.print(e, report); err != nil {
		return err
	}
	if !report.Passed() {
		return &stopped{exitStopped}
	}
	return nil
}

func (cmd *ConnectorVerifyCmd) print(e *environment, report verify.Report) error {
	if cmd.Output == "json" {
		raw, err := json.Marshal(report)
		if err != nil {
			return err
		}
		return e.printJSON(raw)
	}
	t := output.Table{Header: []string{"Check", "Outcome", "Found"}}
	for _, r := range report.Results {
		t.Rows = append(t.Rows, []string{r.Check, string(r.Outcome), r.Detail})
	}
	// Findings are not cut, whatever the width.
	if err := t.Write(e.Out, 0); err != nil {
		return err
	}
	if !report.Isolated {
		fmt.Fprintf(e.Err, "It ran without isolation from the network and other processes: %s.\n", output.Clean(report.IsolationReason))
	}
	fmt.Fprintf(e.Err, "%d passed, %d failed, %d skipped. SHA-256 %s\n", report.Count(verify.Passed), report.Count(verify.Failed), report.Count(verify.Skipped), report.SHA256)
	return nil
}

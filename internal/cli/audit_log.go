package cli

import (
	"context"
	"fmt"
)

// AuditCheckpointCmd is `gatehouse audit checkpoint`.
type AuditCheckpointCmd struct {
	Remote
}

// Help returns examples.
func (AuditCheckpointCmd) Help() string {
	return `A checkpoint is a few lines, signed: how many entries the log has, and the hash over all of them. Kept where the server's operators cannot change it, it later shows whether the end of the log was cut off, or the whole log made anew.

    gatehouse audit checkpoint > 2026-01-31.checkpoint
    gatehouse audit verify --checkpoint 2026-01-31.checkpoint`
}

// Run prints the last checkpoint.
func (cmd *AuditCheckpointCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	log, err := c.AuditLog(ctx)
	if err != nil {
		return err
	}
	if log.Value.Latest == nil {
		return &notFoundError{"nothing has been sealed yet in this workspace; events are sealed within seconds"}
	}
	if cmd.json() {
		return e.printJSON(log.Raw)
	}
	_, err = fmt.Fprint(e.Out, log.Value.Latest.Note)
	return err
}

// AuditKeyCmd is `gatehouse audit key`.
type AuditKeyCmd struct {
	Remote
}

// Help returns examples.
func (AuditKeyCmd) Help() string {
	return `Prints the public key of the log's checkpoints, in the form of signed notes (golang.org/x/mod/sumdb/note).

    gatehouse audit key > audit.pub
    gatehouse audit verify --public-key audit.pub`
}

// Run prints the public key.
func (cmd *AuditKeyCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	log, err := c.AuditLog(ctx)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(log.Raw)
	}
	_, err = fmt.Fprintln(e.Out, log.Value.PublicKey)
	return err
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// AuditVerifyCmd is `gatehouse audit verify`.
type AuditVerifyCmd struct {
	Remote
	Checkpoint  []string      `sep:"none" type:"path" complete:"files" placeholder:"PATH" help:"Checkpoint that was saved earlier; repeat for more."`
	PublicKey   string        `placeholder:"KEY" help:"Public key of the signatures, or a file that holds it; without it the server is asked."`
	UnsealedFor time.Duration `default:"2h" placeholder:"DURATION" help:"How long an event may wait to be sealed (${default}); 0 is for ever."`
}

// Help returns examples.
func (AuditVerifyCmd) Help() string {
	return `Fetches every event, every entry of the log and every checkpoint, and computes all hashes here. Each finding is a line that names the event; the status is 5 when there is one.

The signatures alone show what was changed in the database behind the server's back. A checkpoint that was saved elsewhere also shows that the end of events and log was cut off together, or that everything was made anew with the server's own key. A public key that was saved shows that the key was exchanged.

    gatehouse audit verify
    gatehouse audit verify --public-key audit.pub --checkpoint 2026-01-31.checkpoint`
}

// verification is what the command answers in JSON.
type verification struct {
	Origin      string    `json:"origin"`
	PublicKey   string    `json:"public_key"`
	Checkpoints int64     `json:"checkpoints"`
	Entries     int64     `json:"entries"`
	Unsealed    int64     `json:"unsealed"`
	Findings    []finding `json:"findings"`
}

type finding struct {
	EventID string `json:"event_id,omitempty"`
	Finding string `json:"finding"`
}

// Run verifies the log.
func (cmd *AuditVerifyCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	log, err := c.AuditLog(ctx)
	if err != nil {
		return err
	}
	v, answer, err := cmd.verifier(log.Value)
	if err != nil {
		return err
	}
	v.Source = auditSource{c}
	v.Found = func(f auditlog.Finding) {
		answer.Findings = append(answer.Findings, finding{EventID: f.Event.String(), Finding: f.Text})
		if !cmd.json() {
			fmt.Fprintln(e.Out, f.Text)
		}
	}
	if cmd.PublicKey == "" && !cmd.json() {
		fmt.Fprintln(e.Err, "The public key is the one that the server shows now; with --public-key, a key that was saved earlier is used.")
	}
	report, err := v.Verify(ctx)
	if err != nil {
		return err
	}
	answer.Checkpoints, answer.Entries, answer.Unsealed = report.Checkpoints, report.Entries, report.Unsealed
	if err := cmd.conclude(e, report, answer); err != nil {
		return err
	}
	if report.Findings > 0 {
		return &stopped{exitStopped}
	}
	return nil
}

func (cmd *AuditVerifyCmd) conclude(e *environment, r auditlog.Report, answer *verification) error {
	if cmd.json() {
		raw, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encode the answer: %w", err)
		}
		return e.printJSON(raw)
	}
	verdict := "The log verifies"
	if r.Findings > 0 {
		verdict = fmt.Sprintf("THE LOG DOES NOT VERIFY, %d findings", r.Findings)
	}
	_, err := fmt.Fprintf(e.Out, "%s: %s, %d entries under %d checkpoints; %d events wait to be sealed.\n", verdict, answer.Origin, r.Entries, r.Checkpoints, r.Unsealed)
	return err
}

// verifier takes the flags together with what the server says of itself.
func (cmd *AuditVerifyCmd) verifier(log client.AuditLog) (*auditlog.Verifier, *verification, error) {
	text, err := cmd.publicKey(log.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	key, err := note.NewVerifier(text)
	if err != nil {
		return nil, nil, usagef("--public-key: is not a public key as gatehouse audit key prints it")
	}
	scope, err := auditlog.ParseOrigin(log.Origin)
	if err != nil {
		return nil, nil, fmt.Errorf("the server names its log: %w", err)
	}
	v := &auditlog.Verifier{Key: key, Scope: scope, UnsealedFor: cmd.UnsealedFor, Now: time.Now()}
	for _, path := range cmd.Checkpoint {
		signed, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, unreadable("--checkpoint", err)
		}
		saved, err := auditlog.OpenCheckpoint(string(signed), key)
		if err != nil {
			return nil, nil, fmt.Errorf("the saved checkpoint %s is %w; the log's key may have been exchanged since, or the file is no checkpoint of this tenant", path, err)
		}
		if saved.Scope != scope {
			return nil, nil, usagef("--checkpoint: %s is of the log %s, and the server shows %s; use a key of that workspace", path, auditlog.Origin(saved.Scope), log.Origin)
		}
		v.Saved = append(v.Saved, saved)
	}
	return v, &verification{Origin: log.Origin, PublicKey: text, Findings: []finding{}}, nil
}

// publicKey returns what the flag names, a key or a file, or what the server shows.
func (cmd *AuditVerifyCmd) publicKey(shown string) (string, error) {
	if cmd.PublicKey == "" {
		return shown, nil
	}
	raw, err := os.ReadFile(cmd.PublicKey)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(cmd.PublicKey, "+") {
		return cmd.PublicKey, nil
	}
	if err != nil {
		return "", unreadable("--public-key", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

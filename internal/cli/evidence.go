package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/evidence"
)

// EvidenceCmd is `gatehouse evidence`.
type EvidenceCmd struct {
	Create EvidenceCreateCmd `cmd:"" help:"Keep an answer with the proof of it."`
	Verify EvidenceVerifyCmd `cmd:"" help:"Check evidence, without any server."`
}

// EvidenceCreateCmd is `gatehouse evidence create`.
type EvidenceCreateCmd struct {
	Remote
	exportQuery
	To string `required:"" type:"path" complete:"files" placeholder:"PATH" help:"File to write, which appears whole or not at all."`
}

// Help returns examples.
func (EvidenceCreateCmd) Help() string {
	return `Exports an answer with every edge behind it, waits until the audit record of that is sealed, which takes some seconds, and adds the proof. Whoever gets the file needs this program and the public key (gatehouse audit key), and no server.

    gatehouse evidence create who-can payroll --to payroll.evidence
    gatehouse evidence create why ann payroll --as-of 2026-01-31 --to ann.evidence`
}

// Run makes a file of evidence.
func (cmd *EvidenceCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	query, err := cmd.query(ctx, c, "evidence")
	if err != nil {
		return err
	}
	a, err := c.CreateExport(ctx, query, rand.Text())
	if err != nil {
		return err
	}
	if a, err = e.awaitExport(ctx, c, a.Value.ExportID); err != nil {
		return err
	}
	part := cmd.To + "." + a.Value.ExportID + ".part"
	if err := e.downloadPart(ctx, c, a.Value, part); err != nil {
		return err
	}
	report, err := e.seal(ctx, c, a.Value, part)
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, cmd.To); err != nil {
		return fmt.Errorf("name the file: %w", err)
	}
	return e.printEvidence(cmd.json(), report)
}

// seal adds the proof to what was downloaded, and checks the whole.
func (e *environment) seal(ctx context.Context, c *client.Client, x client.Export, part string) (r evidence.Report, err error) {
	manifest, err := c.ExportManifest(ctx, x.ExportID)
	if err != nil {
		return r, err
	}
	s := evidence.Seal{Version: evidence.Version, Bytes: x.Bytes, Manifest: string(manifest)}
	completed, err := e.proveEvent(ctx, c, client.AuditFilter{Action: "export_completed", TargetID: x.ExportID}, &s)
	if err != nil {
		return r, err
	}
	if !completed {
		return r, fmt.Errorf("the audit record does not say that %s was completed; see gatehouse audit verify", x.ExportID)
	}
	runs, err := runsNamed(part)
	if err != nil {
		return r, err
	}
	for _, run := range runs {
		for _, action := range []string{"run_succeeded", "run_partially_succeeded"} {
			// What a run read can have been published although it did not succeed, and
			// its event lie before the log's: then the edge stands without it.
			proven, err := e.proveEvent(ctx, c, client.AuditFilter{Action: action, TargetID: run}, &s)
			if err != nil {
				return r, err
			}
			if proven {
				break
			}
		}
	}
	line, err := s.Line()
	if err != nil {
		return r, err
	}
	file, err := os.OpenFile(part, os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return r, fmt.Errorf("add the proof: %w", err)
	}
	_, err = file.Write(line)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return r, fmt.Errorf("add the proof: %w", err)
	}
	return verifyFile(part, "")
}

// proveEvent adds the proof of the newest event that passes the filter, and reports
// whether there is one. It waits until the event is sealed.
func (e *environment) proveEvent(ctx context.Context, c *client.Client, f client.AuditFilter, s *evidence.Seal) (bool, error) {
	events, err := c.AuditEvents(ctx, f, client.Pages{Limit: 1})
	if err != nil || len(events.Items) == 0 {
		return false, err
	}
	for waited := false; ; {
		a, err := c.ProveAuditEvent(ctx, events.Items[0].EventID)
		if err == nil {
			p := a.Value
			s.PublicKey = p.PublicKey
			s.Proofs = append(s.Proofs, evidence.Proof{EventID: p.EventID, Leaf: p.Leaf, Entry: p.Entry, Hashes: p.Hashes, Checkpoint: p.Checkpoint.Note})
			return true, nil
		}
		var refused *client.Problem
		if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
			return false, err
		}
		if !waited {
			fmt.Fprintln(e.Err, "Waiting until the audit record is sealed…")
			waited = true
		}
		pause := time.NewTimer(askExport)
		select {
		case <-ctx.Done():
			pause.Stop()
			return false, context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// runsNamed are the runs of which a content has a line.
func runsNamed(path string) (runs []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the download: %w", err)
	}
	defer file.Close()
	lines := json.NewDecoder(file)
	for {
		var line struct {
			Record string `json:"record"`
			Run    string `json:"run_id"`
		}
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return runs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the download: %w", err)
		}
		if line.Record == "run" {
			runs = append(runs, line.Run)
		}
	}
}

// EvidenceVerifyCmd is `gatehouse evidence verify`.
type EvidenceVerifyCmd struct {
	File   string `arg:"" type:"path" complete:"files" help:"File of evidence."`
	Key    string `placeholder:"KEY" help:"Public key that must have signed, or a file that holds it: one that you got from somebody you trust."`
	Output string `short:"o" enum:"table,json" default:"table" help:"What to print (table, json)."`
}

// Help returns examples.
func (EvidenceVerifyCmd) Help() string {
	return `Calls nobody. Every hash is computed here: a file of which one byte was changed does not verify, and the status is 5. Without --key the file's own key is taken, which shows that the file is whole, and not whose it is.

    gatehouse evidence verify payroll.evidence --key audit.pub`
}

// Run checks a file.
func (cmd *EvidenceVerifyCmd) Run(_ context.Context, e *environment) error {
	key := cmd.Key
	if key != "" && !strings.Contains(key, "+") {
		raw, err := os.ReadFile(key)
		if err != nil {
			return unreadable("--key", err)
		}
		key = string(raw)
	}
	if _, err := os.Stat(cmd.File); err != nil {
		return unreadable("FILE", err)
	}
	report, err := verifyFile(cmd.File, strings.TrimSpace(key))
	if err != nil {
		fmt.Fprintf(e.Out, "THE EVIDENCE DOES NOT HOLD: %s\n", output.Clean(err.Error()))
		return &stopped{exitStopped}
	}
	if !report.KeyGiven && cmd.Output != "json" {
		fmt.Fprintln(e.Err, "The public key is the file's own; with --key, one that you trust is used.")
	}
	return e.printEvidence(cmd.Output == "json", report)
}

func verifyFile(path, key string) (evidence.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return evidence.Report{}, fmt.Errorf("read the evidence: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return evidence.Report{}, fmt.Errorf("read the evidence: %w", err)
	}
	return evidence.Verify(file, info.Size(), key)
}

func (e *environment) printEvidence(asJSON bool, r evidence.Report) error {
	if asJSON {
		raw, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode the report: %w", err)
		}
		return e.printJSON(raw)
	}
	return output.Fields(e.Out, []output.Field{
		{Name: "Verdict", Value: "the evidence holds"},
		{Name: "Question", Value: string(r.Query)},
		{Name: "As of", Value: output.Time(&r.AsOf)},
		{Name: "Export", Value: r.ExportID + " of " + r.WorkspaceID},
		{Name: "Records", Value: fmt.Sprint(r.Rows)},
		{Name: "Truncated", Value: output.YesNo(r.Truncated)},
		{Name: "SHA-256", Value: r.SHA256},
		{Name: "Recorded", Value: output.Time(&r.RecordedAt) + " by " + r.EventID},
		{Name: "Sealed", Value: fmt.Sprintf("%s in %s, %d entries", output.Time(&r.SealedAt), r.Log, r.Size)},
		{Name: "Runs proven", Value: strings.Join(r.RunsProven, ", ")},
		{Name: "Public key", Value: r.PublicKey},
	})
}

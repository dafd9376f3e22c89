package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// AuditExportCmd is `gatehouse audit export`.
type AuditExportCmd struct {
	Remote
	auditFilter
	To     string `type:"path" complete:"files" placeholder:"PATH" help:"File to write, which appears whole or not at all; without it, standard output."`
	Append bool   `help:"Go on behind the last event in the file, and make the file if there is none."`
}

// Help returns examples.
func (AuditExportCmd) Help() string {
	return `Writes every sealed event in the order of the log, one JSON object a line: OCSF 1.3.0 in CloudEvents 1.0. Events are sealed seconds after they were recorded. The export is recorded itself.

    gatehouse audit export --to audit.jsonl
    gatehouse audit export --to audit.jsonl --append
    gatehouse audit export --since 24h --outcome denied | jq .data.message`
}

// Run exports events.
func (cmd *AuditExportCmd) Run(ctx context.Context, e *environment) error {
	f, err := cmd.filter(time.Now())
	if err != nil {
		return err
	}
	if cmd.Append && cmd.To == "" {
		return usagef("--append: needs --to, the file to go on with")
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	switch {
	case cmd.To == "":
		_, err = c.ExportAuditEvents(ctx, f, -1, e.Out)
		return err
	case cmd.Append:
		return cmd.appendTo(ctx, c, f)
	}
	return cmd.write(ctx, c, f)
}

// write makes a file beside the wanted one and gives it its name when it is whole.
func (cmd *AuditExportCmd) write(ctx context.Context, c *client.Client, f client.AuditFilter) (err error) {
	part := cmd.To + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	_, err = c.ExportAuditEvents(ctx, f, -1, file)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, cmd.To); err != nil {
		return fmt.Errorf("name the export: %w", err)
	}
	return nil
}

// appendTo goes on behind the last whole line of the file. What an export that
// ended early has written stays, so the next one goes on from there.
func (cmd *AuditExportCmd) appendTo(ctx context.Context, c *client.Client, f client.AuditFilter) error {
	file, err := os.OpenFile(cmd.To, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("append to the export: %w", err)
	}
	end, after, err := lastSequence(file)
	if err == nil {
		err = errors.Join(file.Truncate(end), seekTo(file, end))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("read %s: %w", cmd.To, err), file.Close())
	}
	_, err = c.ExportAuditEvents(ctx, f, after, file)
	return errors.Join(err, file.Sync(), file.Close())
}

func seekTo(file *os.File, at int64) error {
	_, err := file.Seek(at, io.SeekStart)
	return err
}

// maxLine bounds a line of an export: 4 MiB, far above any event.
const maxLine = 4 << 20

// lastSequence returns where the last whole line of an export ends and the
// sequence of its event, -1 when there is none.
func lastSequence(file *os.File) (end, after int64, err error) {
	after = -1
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, after, err
	}
	if !info.Mode().IsRegular() {
		return 0, after, fs.ErrInvalid
	}
	from := max(info.Size()-2*maxLine, 0)
	tail := make([]byte, info.Size()-from)
	if _, err := file.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, after, err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if whole == 0 {
		// Not one line was written whole.
		return from, after, nil
	}
	end = from + int64(whole)
	lines := bufio.NewScanner(bytes.NewReader(tail[:whole]))
	lines.Buffer(nil, 2*maxLine+1)
	var last []byte
	for lines.Scan() {
		last = append(last[:0], lines.Bytes()...)
	}
	var event struct {
		Sequence string `json:"sequence"`
	}
	if err := errors.Join(lines.Err(), json.Unmarshal(last, &event)); err != nil {
		return 0, after, fmt.Errorf("its last line is no event of an export: %w", err)
	}
	if after, err = strconv.ParseInt(event.Sequence, 10, 64); err != nil {
		return 0, -1, errors.New("its last line is no event of an export: it has no sequence")
	}
	return end, after, nil
}

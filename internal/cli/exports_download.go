package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ExportsDownloadCmd is `gatehouse exports download`.
type ExportsDownloadCmd struct {
	Remote
	exportArg
	To string `type:"path" complete:"files" placeholder:"PATH" help:"File to write, which appears whole or not at all; without it, one that is called as the server calls it, here."`
}

// Help returns examples.
func (ExportsDownloadCmd) Help() string {
	return `Waits for the file if it is being made. A download that is cut off leaves PATH.exp_3.part; the same command goes on from there. The SHA-256 of the whole is checked before the file gets its name.

    gatehouse exports download exp_3 --to entities.csv`
}

// Run downloads a file.
func (cmd *ExportsDownloadCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := e.awaitExport(ctx, c, cmd.Export)
	if err != nil {
		return err
	}
	to := cmd.To
	if to == "" {
		to = a.Value.FileName
	}
	if err := e.download(ctx, c, a.Value, to); err != nil {
		return err
	}
	return e.printExport(cmd.Remote, a)
}

const (
	// askExport is how often an export is looked at while it is made.
	askExport = 500 * time.Millisecond
	// downloadTries is how often a download that is cut off goes on by itself.
	downloadTries = 5
)

// awaitExport waits until an export has ended, and returns an error unless it has a
// file then.
func (e *environment) awaitExport(ctx context.Context, c *client.Client, id string) (client.Answer[client.Export], error) {
	said := ""
	for {
		a, err := c.Export(ctx, id)
		if err != nil {
			return a, err
		}
		x := a.Value
		switch x.Status {
		case "completed":
			return a, nil
		case "failed":
			fmt.Fprintf(e.Err, "%s has failed: %s\n", id, output.Clean(x.Failure))
			return a, &stopped{exitStopped}
		case "cancelled":
			fmt.Fprintf(e.Err, "%s was cancelled.\n", id)
			return a, &stopped{exitStopped}
		}
		if line := fmt.Sprintf("%s %s: %d rows, %s", x.ExportID, x.Status, x.Rows, size(x.Bytes)); line != said {
			fmt.Fprintln(e.Err, output.Clean(line))
			said = line
		}
		pause := time.NewTimer(askExport)
		select {
		case <-ctx.Done():
			pause.Stop()
			fmt.Fprintf(e.Err, "%s goes on. Download it: gatehouse exports download %s\n", id, id)
			return a, context.Cause(ctx)
		case <-pause.C:
		}
	}
}

// download writes an export's file. What an earlier attempt at the same export has
// left is gone on with.
func (e *environment) download(ctx context.Context, c *client.Client, x client.Export, to string) error {
	part := to + "." + x.ExportID + ".part"
	if err := e.downloadPart(ctx, c, x, part); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return fmt.Errorf("name the file: %w", err)
	}
	return nil
}

// downloadPart makes a file that is whole, and checks its hash.
func (e *environment) downloadPart(ctx context.Context, c *client.Client, x client.Export, part string) (err error) {
	file, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("write the download: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for try := 1; ; try++ {
		at, err := file.Seek(0, io.SeekEnd)
		if err != nil {
			return fmt.Errorf("write the download: %w", err)
		}
		if at > x.Bytes {
			at = 0
		}
		if at == x.Bytes && x.Bytes > 0 {
			break
		}
		fresh := func() error { return errors.Join(file.Truncate(0), seekTo(file, 0)) }
		if at == 0 {
			if err := fresh(); err != nil {
				return fmt.Errorf("write the download: %w", err)
			}
		}
		_, err = c.DownloadExport(ctx, x.ExportID, orEmpty(x.SHA256), at, fresh, file)
		if err == nil {
			break
		}
		var away *client.Unreachable
		if try == downloadTries || ctx.Err() != nil || !errors.As(err, &away) {
			return fmt.Errorf("%w; what has come is kept in %s: the same command goes on from there", err, part)
		}
		fmt.Fprintf(e.Err, "The download was cut off; going on.\n")
	}
	return checkSum(file, x, part)
}

// checkSum compares the whole file with what the server recorded.
func checkSum(file *os.File, x client.Export, part string) error {
	if err := errors.Join(file.Sync(), seekTo(file, 0)); err != nil {
		return fmt.Errorf("write the download: %w", err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return fmt.Errorf("read the download: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != orEmpty(x.SHA256) {
		return errors.Join(fmt.Errorf("the SHA-256 of what was downloaded is %s and not %s; it is thrown away: download it again", got, orEmpty(x.SHA256)), os.Remove(part))
	}
	return nil
}

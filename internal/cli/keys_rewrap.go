package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/schollz/progressbar/v3"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
)

// KeysRewrapCmd is `gatehouse keys rewrap`.
type KeysRewrapCmd struct {
	keysDatabase
}

// Help returns examples.
func (KeysRewrapCmd) Help() string {
	return `Has the data key of every credential that is under another key wrapped by --key. The credentials themselves are not written. Services go on working meanwhile; give them the new --key, and the old one as --open-key, before. It can be interrupted, killed and started again at any moment: each credential is under the one key or under the other, and what is left is found again.

    gatehouse keys rewrap --database-url postgres://svc_integration@db/gatehouse \
      --key awskms:arn:aws:kms:eu-west-1:111122223333:key/0b5c1b0c-2c1e-4d0e-9b7e-0a6f2f6a1c11 --open-key local:/etc/gatehouse/local.key

Exits with 1 when a credential could not be moved, and names it.`
}

// Run moves credentials.
func (cmd *KeysRewrapCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Keys.Rewrap == nil {
		return errNotBuilt
	}
	if cmd.Key == "" {
		return usagef("--key: is missing; name the key to move credentials under")
	}
	databaseURL, keys, err := cmd.plane(e)
	if err != nil {
		return err
	}
	p := newCounter(e.Streams)
	result, err := e.services.Keys.Rewrap(ctx, databaseURL, keys, p.show)
	p.end()
	if err != nil {
		if result.Moved > 0 {
			err = fmt.Errorf("%w; %d credentials were moved, run it again for the others", err, result.Moved)
		}
		return err
	}
	t := output.Table{Header: []string{"Moved", "Do not open", "Left under other keys"}}
	t.Rows = append(t.Rows, []string{fmt.Sprint(result.Moved), fmt.Sprint(result.Unreadable), fmt.Sprint(result.Left)})
	if err := cmd.print(e, result, t); err != nil {
		return err
	}
	if result.NewKey && result.Moved > 0 {
		fmt.Fprintln(e.Err, "Nothing had been started with this key before. What runs cannot open what was moved: restart every integrations service, and gatehouse dev, with the new --key and the old one as --open-key.")
	}
	for _, f := range result.Failures {
		fmt.Fprintf(e.Err, "%s of workspace %s: %s\n", f.Connection, f.Workspace, output.Clean(f.Reason))
	}
	if result.Left > result.Unreadable {
		fmt.Fprintln(e.Err, "Credentials were written under another key meanwhile: give every integrations service the new --key, then run this again.")
	}
	if result.Left > 0 {
		return &stopped{status: exitFailure}
	}
	return nil
}

// counter shows how many of a number are done: a bar on a terminal, a line now
// and then elsewhere.
type counter struct {
	streams Streams
	bar     *progressbar.ProgressBar
	said    int64
}

func newCounter(s Streams) *counter { return &counter{streams: s, said: -1} }

// tenths is how often a counter that is no bar says something.
const tenths = 10

func (c *counter) show(done, all int64) {
	if !c.streams.animated() {
		step := int64(tenths)
		if all > 0 {
			step = done * tenths / all
		}
		if step != c.said {
			c.said = step
			fmt.Fprintf(c.streams.Err, "%d of %d credentials moved\n", done, all)
		}
		return
	}
	if c.bar == nil {
		c.bar = progressbar.NewOptions64(all,
			progressbar.OptionSetWriter(c.streams.Err), progressbar.OptionSetWidth(20), progressbar.OptionClearOnFinish(),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("credentials"),
			progressbar.OptionUseANSICodes(true), progressbar.OptionSetDescription("moving"))
	}
	c.bar.ChangeMax64(all)
	// A bar that cannot be drawn is no reason to stop.
	_ = c.bar.Set64(done)
}

func (c *counter) end() {
	if c.bar != nil {
		_ = errors.Join(c.bar.Clear(), c.bar.Exit())
	}
}

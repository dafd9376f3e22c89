package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ThrottleCmd is `gatehouse throttle`.
type ThrottleCmd struct {
	List   ThrottleListCmd   `cmd:"" default:"withargs" help:"List how much there is of what providers allow."`
	Limits ThrottleLimitsCmd `cmd:"" help:"List what is allowed in the long run."`
	Set    ThrottleSetCmd    `cmd:"" help:"Allow more or less than a connector declares."`
	Clear  ThrottleClearCmd  `cmd:"" help:"Allow again what the connector declares."`
}

// ThrottleListCmd is `gatehouse throttle list`.
type ThrottleListCmd struct {
	Remote
	Paging
	Connection string `placeholder:"CONNECTION" help:"Only budgets that this connection takes part in, by its id or name."`
}

// Help returns examples.
func (ThrottleListCmd) Help() string {
	return `Providers limit calls by account, organisation or tenant. All workers share one budget for each; this shows those that runs of the workspace have called. A pace below 100 % means that the provider refused calls; it doubles in a minute without.

    gatehouse throttle
    gatehouse throttle list --connection "Prod AWS"`
}

// Run lists the budgets.
func (cmd *ThrottleListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	connection := cmd.Connection
	if connection != "" {
		if connection, err = connectionID(ctx, c, connection); err != nil {
			return err
		}
	}
	l, err := c.ThrottleBudgets(ctx, connection, pages)
	if err != nil {
		return err
	}
	t := output.Table{
		Header: []string{"Scope", "Of", "Available", "Limit", "Pace", "Paused until", "Waiting", "Connections"},
		Empty:  "No run has called a provider that limits calls.",
	}
	// They come in the order of their hashes, which tells nobody anything.
	slices.SortStableFunc(l.Items, func(a, b client.ThrottleBudget) int {
		return cmp.Or(cmp.Compare(a.ThrottleScope, b.ThrottleScope), cmp.Compare(shownKey(a.Key), shownKey(b.Key)))
	})
	return printList(e, cmd.Remote, l, t, func(b client.ThrottleBudget) []string {
		limit := ""
		if b.Limit != nil {
			limit = shownLimit(*b.Limit)
		}
		return []string{
			b.ThrottleScope, shownKey(b.Key), strconv.FormatFloat(b.Available, 'f', 0, 64), limit, fmt.Sprintf("%.0f %%", 100*b.Pace),
			output.Time(b.PausedUntil), strconv.Itoa(b.WaitingRuns), strings.Join(shorten(slices.Clone(b.Connections)), ", "),
		}
	})
}

func shownKey(key []client.ThrottleKey) string {
	parts := make([]string, len(key))
	for i, part := range key {
		parts[i] = strings.TrimSpace(part.Name + " " + part.Value)
	}
	return strings.Join(parts, ", ")
}

func shownLimit(l client.ThrottleLimit) string {
	text := fmt.Sprintf("%d in %s, %d at once", l.Calls, shownPeriod(l.PerSeconds), l.Burst)
	if l.Concurrent > 0 {
		text += fmt.Sprintf(", %d under way", l.Concurrent)
	}
	return text
}

func shownPeriod(seconds int) string {
	switch {
	case seconds%86400 == 0:
		return fmt.Sprintf("%d d", seconds/86400)
	case seconds%3600 == 0:
		return fmt.Sprintf("%d h", seconds/3600)
	case seconds%60 == 0:
		return fmt.Sprintf("%d min", seconds/60)
	}
	return fmt.Sprintf("%d s", seconds)
}

// ThrottleLimitsCmd is `gatehouse throttle limits`.
type ThrottleLimitsCmd struct {
	Remote
}

// Help returns examples.
func (ThrottleLimitsCmd) Help() string {
	return `Shows the throttle scopes of all integrations, and what their budgets allow.

    gatehouse throttle limits`
}

// Run lists the limits.
func (cmd *ThrottleLimitsCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.ThrottleLimits(ctx)
	if err != nil {
		return err
	}
	return e.printThrottleLimits(cmd.Remote, a.Raw, a.Value.Limits)
}

func (e *environment) printThrottleLimits(r Remote, raw []byte, limits []client.ThrottleScopeLimit) error {
	if r.json() {
		return e.printJSON(raw)
	}
	t := output.Table{Header: []string{"Scope", "What", "By", "In force", "Declared", "Set by", "Set"}, Empty: "No integration declares what its provider limits."}
	for _, l := range limits {
		t.Rows = append(t.Rows, []string{
			l.ThrottleScope, l.Description, strings.Join(l.Key, ", "), shownLimit(l.InForce), shownLimit(l.Declared), output.OrNone(orEmpty(l.SetBy)), output.Time(l.SetAt),
		})
	}
	return t.Write(e.Out, e.width())
}

// ThrottleSetCmd is `gatehouse throttle set`.
type ThrottleSetCmd struct {
	Remote
	Scope      string        `arg:"" help:"Throttle scope, such as aws.iam; gatehouse throttle limits lists them."`
	Calls      int           `required:"" placeholder:"N" help:"Calls that are allowed in the long run, in each --per."`
	Per        time.Duration `default:"1s" placeholder:"DURATION" help:"Whole seconds (${default})."`
	Burst      int           `required:"" placeholder:"N" help:"Calls that may be made at once after a pause."`
	Concurrent int           `placeholder:"N" help:"Calls that may be under way at once, where the connector limits these."`
}

// Help returns examples.
func (ThrottleSetCmd) Help() string {
	return `Counts at once, for every budget of the scope in the tenant. For a provider that counts by a window, --calls and --burst together are at most what it allows. It needs a key with the role tenant_admin.

    gatehouse throttle set aws.iam --calls 5 --burst 10
    gatehouse throttle set salesforce.day --calls 20000 --per 24h --burst 5000`
}

// Run sets the limit.
func (cmd *ThrottleSetCmd) Run(ctx context.Context, e *environment) error {
	if cmd.Per < time.Second || cmd.Per%time.Second != 0 {
		return usagef("--per must be whole seconds, at least 1s")
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.SetThrottleLimit(ctx, cmd.Scope, client.ThrottleLimit{
		Calls: cmd.Calls, PerSeconds: int(cmd.Per / time.Second), Burst: cmd.Burst, Concurrent: cmd.Concurrent,
	})
	if err != nil {
		return err
	}
	return e.printThrottleLimits(cmd.Remote, a.Raw, []client.ThrottleScopeLimit{a.Value})
}

// ThrottleClearCmd is `gatehouse throttle clear`.
type ThrottleClearCmd struct {
	Remote
	Scope string `arg:"" help:"Throttle scope, such as aws.iam."`
}

// Help returns examples.
func (ThrottleClearCmd) Help() string {
	return `It needs a key with the role tenant_admin.

    gatehouse throttle clear aws.iam`
}

// Run clears the limit.
func (cmd *ThrottleClearCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := c.ClearThrottleLimit(ctx, cmd.Scope); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.Err, "%s allows what its connector declares again.\n", output.Clean(cmd.Scope))
	return err
}

package cli

import "time"

// leastKept is the least that runs are kept; the database removes nothing younger.
const leastKept = 24 * time.Hour

// retention is the flag of the commands that remove old runs.
type retention struct {
	KeepRuns time.Duration `default:"9600h" env:"GATEHOUSE_KEEP_RUNS" placeholder:"DURATION" help:"How long runs are kept once they have ended, at least 24h; 0 for ever (${default}, 400 days)."`
}

func (r retention) keepRuns() (time.Duration, error) {
	if r.KeepRuns != 0 && r.KeepRuns < leastKept {
		return 0, usagef("--keep-runs: must be at least %s, or 0 to keep runs for ever", leastKept)
	}
	return r.KeepRuns, nil
}

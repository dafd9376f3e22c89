package cli

import "time"

// leastKept is the least that runs and history are kept; the database removes
// nothing younger.
const leastKept = 24 * time.Hour

// retention is the flags of the commands that remove what is old.
type retention struct {
	KeepRuns    time.Duration `default:"9600h" env:"GATEHOUSE_KEEP_RUNS" placeholder:"DURATION" help:"How long runs are kept once they have ended, at least 24h; 0 for ever (${default}, 400 days)."`
	KeepHistory time.Duration `default:"0" env:"GATEHOUSE_KEEP_HISTORY" placeholder:"DURATION" help:"How far back questions about the access graph can go, at least 24h; 0 for ever (the default)."`
}

// kept returns how long runs and history are kept.
func (r retention) kept() (runs, history time.Duration, err error) {
	if r.KeepRuns != 0 && r.KeepRuns < leastKept {
		return 0, 0, usagef("--keep-runs: must be at least %s, or 0 to keep runs for ever", leastKept)
	}
	if r.KeepHistory != 0 && r.KeepHistory < leastKept {
		return 0, 0, usagef("--keep-history: must be at least %s, or 0 to keep it for ever", leastKept)
	}
	return r.KeepRuns, r.KeepHistory, nil
}

package run

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// Stage says where an unfinished run is, for operators.
type Stage string

// The stages.
const (
	// Waiting runs have no worker: nobody took them yet, or theirs was lost.
	Waiting Stage = "waiting"
	// InHand runs are with a worker.
	InHand Stage = "executing"
	// BeingPublished runs have been read.
	BeingPublished Stage = "publishing"
)

// Stages lists the stages. Callers get their own copy.
func Stages() []Stage { return []Stage{Waiting, InHand, BeingPublished} }

// Figure counts the unfinished runs of a queue that are at one stage, of all
// workspaces.
type Figure struct {
	Queue operation.Queue
	Stage Stage
	Runs  int64
	// Oldest is how long the one that came there first has been there.
	Oldest time.Duration
}

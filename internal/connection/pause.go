package connection

import (
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// FailuresToPause is how many scheduled runs in a row have to fail until their
// schedule is paused.
const FailuresToPause = 10

// PauseRequested is the reason of a schedule that somebody has paused. It goes on
// when somebody resumes it, and not by itself.
const PauseRequested operation.Code = "requested"

// Pause is why and since when a schedule starts nothing, although the connection
// could be used.
type Pause struct {
	Since time.Time
	// Reason is that of the last failure, or PauseRequested.
	Reason operation.Code
}

// CountsAsFailure reports whether a scheduled start that was blocked is one more
// failure in a row. It is not when what stands in the way is no fault of the
// connection and goes away for all of a workspace or tenant at once: nobody is to
// resume a thousand schedules because a licence was installed late.
func CountsAsFailure(blockedBy operation.Code) bool {
	return !slices.Contains([]operation.Code{
		operation.IntegrationNotLicensed, operation.WorkspaceArchived, operation.ConnectionDisabled, operation.ConsentRequired,
	}, blockedBy)
}

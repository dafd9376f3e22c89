package policy

import "fmt"

// mostWork bounds what one evaluation compares, in characters: about a tenth of a
// second. Policies at AWS's limits take a hundredth of it where their wildcards
// are of the usual kind; those that begin again at every character of a long name,
// and documents far beyond AWS's limits, take more.
const mostWork = 1 << 24

// work is what is left of the work of one evaluation.
type work struct{ left int }

func newWork() *work { return &work{left: mostWork} }

// take counts work, and reports whether there was enough left. Once there was
// not, there never is again.
func (w *work) take(n int) bool {
	if w.left < 0 {
		return false
	}
	w.left -= n
	return w.left >= 0
}

func (w *work) spent() bool { return w.left < 0 }

// undecided is what a statement comes to that the work did not suffice for: it
// may apply, and in any way.
func undecided() application {
	return application{applies: Unknown, by: grades{Unknown, Unknown, Unknown}, needs: []Dependency{{
		Reason: fmt.Sprintf("deciding it takes more work than %d comparisons of characters, so that not every statement was looked at", mostWork),
	}}}
}

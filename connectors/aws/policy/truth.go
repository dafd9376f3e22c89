package policy

// Truth is a value of three-valued logic (Kleene's): unknown is what may turn
// out either way.
type Truth int8

// The values, in the order of truth: and is the least, or the greatest.
const (
	False   Truth = -1
	Unknown Truth = 0
	True    Truth = 1
)

func and(a, b Truth) Truth { return min(a, b) }

func or(a, b Truth) Truth { return max(a, b) }

func not(a Truth) Truth { return -a }

func truthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

func (t Truth) String() string {
	switch t {
	case True:
		return "true"
	case False:
		return "false"
	}
	return "unknown"
}

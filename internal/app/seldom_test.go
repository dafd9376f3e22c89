package app

import (
	"testing"

	"pgregory.net/rapid"
)

// checkSeldom is rapid.Check of a property each check of which makes many calls of a
// database: it is tried in about a quarter of the usual checks; -rapid.checks asks
// for more.
func checkSeldom(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		if rapid.IntRange(0, 7).Draw(rt, "not now") == 0 {
			property(rt)
		}
	})
}

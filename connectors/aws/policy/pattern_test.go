package policy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestMatchesAgreesWithItsDefinition compares with the plainest matcher.
func TestMatchesAgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	var slow func(p, v string) bool
	slow = func(p, v string) bool {
		switch {
		case p == "":
			return v == ""
		case p[0] == '*':
			return slow(p[1:], v) || v != "" && slow(p, v[1:])
		default:
			return v != "" && (p[0] == '?' || p[0] == v[0]) && slow(p[1:], v[1:])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?")), 0, 8, -1).Draw(t, "pattern")
		value := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 8, -1).Draw(t, "value")
		want := slow(written, value)
		require.Equal(t, truthOf(want), wild(written).matches(value, false, newWork()))
		require.Equal(t, want, wild(written).run([]rune(value), false, false, newWork()))
	})
}

// TestOpenMatchesHoldForEveryRest: what is said of all texts with a beginning
// is so of each.
func TestOpenMatchesHoldForEveryRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := wild(rapid.StringOfN(rapid.RuneFrom([]rune("ab*?:")), 0, 8, -1).Draw(t, "pattern")).inARN()
		beginning := rapid.StringOfN(rapid.RuneFrom([]rune("ab:")), 0, 5, -1).Draw(t, "beginning")
		rest := rapid.StringOfN(rapid.RuneFrom([]rune("ab:")), 0, 4, -1).Draw(t, "rest")
		if all := p.matches(beginning, true, newWork()); all != Unknown {
			require.Equal(t, all, p.matches(beginning+rest, false, newWork()))
		}
	})
}

func TestWildcardsInARNs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, arn string
		want         Truth
	}{
		{"*", "arn:aws:s3:::logs", True},
		{"arn:aws:s3:::logs/*", "arn:aws:s3:::logs/a/b:c", True},
		{"arn:aws:s3:::logs/*", "arn:aws:s3:::logs", False},
		{"arn:aws:s3:::*/test/*", "arn:aws:s3:::logs//test/object.jpg", True},
		{"arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:role/x", True},
		{"arn:aws:s3:*", "arn:aws:s3:::logs/a", True}, // a star that ends a part goes on
		{"arn:aws:s3:*logs", "arn:aws:s3:::logs", False},
		{"arn:aws:iam::1111?2223333:user/ann", "arn:aws:iam::111122223333:user/ann", True},
		{"arn:aws:sqs:eu-?est-1:*:q", "arn:aws:sqs:eu-west-1:111122223333:q", True},
		{"arn:aws:logs:eu:1:log-group:*:stream:b", "arn:aws:logs:eu:1:log-group:a:c:stream:b", True},
		{"arn:aws:s3:::Logs", "arn:aws:s3:::logs", False}, // case counts
		{"arn:aws:s3:::größe-?", "arn:aws:s3:::größe-ä", True},
	} {
		require.Equal(t, c.want, wild(c.pattern).inARN().matches(c.arn, false, newWork()), "%s %s", c.pattern, c.arn)
	}
}

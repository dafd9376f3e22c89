package aws

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestGlobAgreesWithRegexp compares with the same pattern as a regular
// expression.
func TestGlobAgreesWithRegexp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?/]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab/]{0,8}`).Draw(t, "text")
		expression := strings.NewReplacer("*", ".*", "?", ".").Replace(pattern)
		want := regexp.MustCompile("^" + expression + "$").MatchString(text)
		require.Equal(t, want, globMatch(pattern, text))
	})
}

// TestGlobPrefixFollowsFromMatch holds globPrefix against its definition: a
// text that matches makes each of its prefixes one.
func TestGlobPrefixFollowsFromMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,6}`).Draw(t, "pattern")
		prefix := rapid.StringMatching(`[ab]{0,4}`).Draw(t, "prefix")
		suffix := rapid.StringMatching(`[ab]{0,4}`).Draw(t, "suffix")
		if globMatch(pattern, prefix+suffix) {
			require.True(t, globPrefix(pattern, prefix))
		}
	})
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	const bucket = "arn:aws:s3:::company-data"
	for pattern, want := range map[string]covered{
		"*":                                       {true, true},
		"arn:aws:s3:::*":                          {true, true},
		"arn:aws:s3:::company-*":                  {true, true},
		"arn:aws:s3:::company-*/*":                {false, true},
		"arn:aws:s3:::company-data":               {true, false},
		"arn:aws:s3:::company-data/reports/*":     {false, true},
		"arn:aws:s3:::company-data-2/*":           {},
		"arn:aws:s3:::company-dat":                {},
		"arn:aws:s3:::${aws:PrincipalTag/team}":   {true, true},
		"arn:aws:s3:::home-${aws:username}/*":     {},
		"arn:aws:lambda:*:*:function:*":           {},
		"arn:*:s3:::company-????":                 {true, false},
		"arn:aws:s3:::company-data/${aws:userid}": {false, true},
	} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, coverage(pattern, bucket, "/"))
		})
	}
}

func TestExcludesOnlyWholeResources(t *testing.T) {
	t.Parallel()
	const bucket = "arn:aws:s3:::secrets"
	require.True(t, excludes([]string{"arn:aws:s3:::secrets*"}, bucket, "/"))
	require.True(t, excludes([]string{bucket, bucket + "/*"}, bucket, "/"))
	require.False(t, excludes([]string{bucket}, bucket, "/"))
	require.False(t, excludes([]string{bucket + "/private/*", bucket}, bucket, "/"))
}

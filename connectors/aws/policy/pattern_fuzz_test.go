package policy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzMatches compares the matcher with Go's regular expressions, which are
// linear too, and its two ways with each other. Whatever it is given, it answers
// within its work.
func FuzzMatches(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", ""},
		{"a*b?", "acbx"},
		{"arn:aws:s3:::logs/*", "arn:aws:s3:::logs/a:b"},
		{"arn:*:x*:?::y", "arn:aws:xy:a::y"},
		{strings.Repeat("*a", 40) + "b", strings.Repeat("a", 200)},
		{"größe-?", "größe-ä"},
		{".[^a]\\", ".[^a]\\"},
		{"**?**", "a"},
		{"a\nb*", "a\nb\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, written, value string) {
		if len(written) > 512 || len(value) > 512 {
			return
		}
		written, value = strings.ToValidUTF8(written, "."), strings.ToValidUTF8(value, ".")
		meant := regexp.MustCompile(`(?s)\A` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(written)) + `\z`).MatchString(value)
		w := newWork()
		require.Equal(t, truthOf(meant), wild(written).matches(value, false, w), "%q %q", written, value)
		require.Equal(t, meant, wild(written).run([]rune(value), false, false, w))
		inARN := wild(written).inARN().matches(value, false, w)
		require.NotEqual(t, Unknown, inARN, "nothing of it is unknown")
		require.LessOrEqual(t, inARN, truthOf(meant), "the parts of an ARN keep wildcards back, and never let them go on")
		require.LessOrEqual(t, wild(written).segmented().matches(value, false, w), inARN)
		require.False(t, w.spent())
		if open := wild(written).inARN().matches(value, true, w); open != Unknown {
			require.Equal(t, open, inARN, "what holds for every rest holds for none")
		}
	})
}

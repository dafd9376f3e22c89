package auditsink

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// counting counts what is read of a file.
type counting struct {
	io.ReaderAt
	read int
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.read += n
	return n, err
}

// A batch costs one byte of a file in order, however large it is, and of a torn
// one what was torn.
func TestTheEndIsFoundWithoutReadingTheFile(t *testing.T) {
	t.Parallel()
	event := strings.Repeat("x", 1000) + "\n"
	sound := strings.Repeat(event, 10_000)
	for name, c := range map[string]struct {
		text  string
		whole int
		most  int
	}{
		"empty":            {"", 0, 0},
		"sound":            {sound, len(sound), 1},
		"torn":             {sound + "{", len(sound), 1 + searchedAtOnce},
		"torn at a block":  {sound + strings.Repeat("{", searchedAtOnce+1), len(sound), 1 + 2*searchedAtOnce},
		"torn far":         {sound + strings.Repeat("{", 3<<20), len(sound), 3<<20 + 2*searchedAtOnce},
		"its first torn":   {strings.Repeat("{", 100_000), 0, 100_000},
		"nothing but ends": {"\n\n", 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := &counting{ReaderAt: strings.NewReader(c.text)}
			whole, err := wholeLines(file, int64(len(c.text)))
			require.NoError(t, err)
			require.EqualValues(t, c.whole, whole)
			require.LessOrEqual(t, file.read, c.most)
		})
	}
}

// What cannot be a torn event is left alone.
func TestAFileThatHoldsNoLinesIsNotCut(t *testing.T) {
	t.Parallel()
	image := bytes.Repeat([]byte{0xff}, 2*longestTorn)
	_, err := wholeLines(bytes.NewReader(image), int64(len(image)))
	require.ErrorContains(t, err, "name another one")
}

package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestReaderSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"not JSON\n":                            "not a message",
		"{}\n":                                  `no "type"`,
		"[]\n":                                  "not a message",
		`{"type":"log"} {}` + "\n":              "something after",
		`{"type":"log","level":1}` + "\n":       `the field "level" is not of the type string`,
		`{"type":"page","page":{"x":1}}` + "\n": `unknown field "x"`,
		"{\"type\":\"\xff\"}\n":                 "UTF-8",
		`{"type":"log"}`:                        "cut off",
		"\n":                                    "not complete",
		strings.Repeat("a", MaxLineBytes+1):     "too long",
	} {
		_, err := NewReader(strings.NewReader(text)).Read()
		require.ErrorContains(t, err, says, "%.40q", text)
		require.NotContains(t, err.Error(), "aaaa", "the line is not repeated")
	}
	_, err := NewReader(strings.NewReader("")).Read()
	require.ErrorIs(t, err, io.EOF)
}

// TestLinesOfAnyLength writes messages and reads them in pieces of any size.
func TestLinesOfAnyLength(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 3*readBytes), func(n int) string { return strings.Repeat("x", n) }), 1, 4).Draw(t, "texts")
		var all bytes.Buffer
		w := NewWriter(&all)
		for _, text := range texts {
			require.NoError(t, w.Write(Message{Type: Log, Text: text}))
		}
		var from io.Reader = &all
		if rapid.Bool().Draw(t, "halves") {
			from = iotest.HalfReader(from)
		}
		r := NewReader(from)
		for _, text := range texts {
			m, err := r.Read()
			require.NoError(t, err)
			require.Equal(t, Message{Type: Log, Text: text}, m)
		}
		_, err := r.Read()
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestWriterKeepsLinesShort(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	require.ErrorIs(t, NewWriter(&all).Write(Message{Type: Log, Text: strings.Repeat("x", MaxLineBytes)}), ErrLineTooLong)
	require.Zero(t, all.Len())
}

// FuzzReader reads anything. What is read as a message can be written and read again.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","protocol":1,"contract":"1"}`, `{"type":"page","id":3,"page":{"entities":[{"kind":"Account","id":"1","attributes":{"a":1}}],"next":"2"}}`,
		`{"type":"error","id":1,"error":{"category":"throttled","message":"m","retry_after_seconds":1e308}}`, "{\"type\":\"log\"}\n{", `{"type":"take","take":1,"uses":[{"scope":"s","key":["k"]}]}`,
	} {
		f.Add([]byte(seed + "\n"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := NewReader(bytes.NewReader(raw))
		r.most = 1 << 10
		for range len(raw) + 1 {
			m, err := r.Read()
			if err != nil {
				return
			}
			if m.Error != nil {
				require.LessOrEqual(t, m.Error.Error().RetryAfter, longestWait)
			}
			var again bytes.Buffer
			require.NoError(t, NewWriter(&again).Write(m))
			back, err := NewReader(&again).Read()
			require.NoError(t, err)
			var twice bytes.Buffer
			require.NoError(t, NewWriter(&twice).Write(back))
			require.NoError(t, NewWriter(&again).Write(m))
			require.Equal(t, strings.TrimSuffix(again.String(), "\n"), strings.TrimSuffix(twice.String(), "\n"))
		}
		require.Fail(t, "more messages than bytes", "%v", errors.ErrUnsupported)
	})
}

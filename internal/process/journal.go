package process

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector/wire"
)

// floods is how many times the lines that are logged make a flood.
const floods = 10

// maxTextBytes bounds one line of the log.
const maxTextBytes = 2 << 10

// journal takes what a program wants to be logged, and no more than may be, to the
// log of the run, which takes secrets out. It is safe for concurrent use.
type journal struct {
	log    *slog.Logger
	limits Limits

	mu    sync.Mutex
	lines int
	// left is how many bytes of standard error were left out.
	left int64
}

// note logs a message of the program; false means that it floods.
func (j *journal) note(m wire.Message) bool {
	j.mu.Lock()
	j.lines++
	lines := j.lines
	j.mu.Unlock()
	switch {
	case lines > floods*j.limits.LogLines:
		return false
	case lines == j.limits.LogLines+1:
		j.log.Warn("the connector logs more than is kept; what follows is left out", slog.Int("lines", j.limits.LogLines))
		return true
	case lines > j.limits.LogLines:
		return true
	}
	j.log.LogAttrs(context.Background(), level(m.Level), clip(m.Text), attributes(m.Attributes)...)
	return true
}

func level(name string) slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo
	}
	return l
}

// attributes are those of a message, under one name so that none is taken for ours.
func attributes(raw json.RawMessage) []slog.Attr {
	if len(raw) == 0 || bytes.Equal(raw, []byte("{}")) {
		return nil
	}
	return []slog.Attr{slog.String("connector", clip(string(raw)))}
}

func clip(s string) string {
	if len(s) > maxTextBytes {
		s = s[:maxTextBytes] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

// stderr logs what a program writes to standard error, as warnings, and reads all of
// it, so that the program does not wait for anybody.
func (j *journal) stderr(from io.Reader) {
	bounded := io.LimitReader(from, int64(j.limits.StderrBytes))
	lines := bufio.NewReaderSize(bounded, maxTextBytes)
	for {
		text, _, err := lines.ReadLine()
		if len(text) > 0 {
			j.log.Warn("the connector wrote to standard error", slog.String("text", clip(string(text))))
		}
		if err != nil {
			break
		}
	}
	left, _ := io.Copy(io.Discard, from) // it ends with the process
	j.mu.Lock()
	defer j.mu.Unlock()
	j.left += left
}

// close says what was left out.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.left > 0 {
		j.log.Warn("the connector wrote more to standard error than is kept", slog.Int64("bytes_left_out", j.left))
	}
}

package wire

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// frames follows what a client sends to PostgreSQL and finds the commits in it.
// It keeps the names of prepared ones, because a later use names no statement.
type frames struct {
	begun    bool
	pending  []byte
	prepared map[string]bool
}

func newFrames() *frames { return &frames{prepared: map[string]bool{}} }

// maxKept bounds how much of a message is kept; a commit is shorter.
const maxKept = 1 << 10

// commits reports whether a message that ends in these bytes commits.
func (f *frames) commits(sent []byte) (found bool) {
	f.pending = append(f.pending, sent...)
	for {
		head := 5 // type and length
		if !f.begun {
			head = 4 // the startup message has no type
		}
		if len(f.pending) < head {
			return found
		}
		size := int(binary.BigEndian.Uint32(f.pending[head-4:head])) + head - 4
		if len(f.pending) < size {
			return found
		}
		if f.begun && size <= maxKept {
			found = f.commit(f.pending[0], f.pending[head:size]) || found
		}
		f.begun = true
		f.pending = f.pending[size:]
	}
}

// commit reports whether one message executes a commit. What a client prepares it
// binds only afterwards.
func (f *frames) commit(kind byte, body []byte) bool {
	switch kind {
	case 'Q':
		return isCommit(text(&body))
	case 'P':
		name := text(&body)
		f.prepared[name] = isCommit(text(&body))
	case 'B':
		text(&body) // the portal
		return f.prepared[text(&body)]
	}
	return false
}

func isCommit(sql string) bool { return strings.EqualFold(strings.TrimSpace(sql), "commit") }

// text takes a string off the front of a message.
func text(body *[]byte) string {
	found, rest, _ := bytes.Cut(*body, []byte{0})
	*body = rest
	return string(found)
}

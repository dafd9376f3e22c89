package wire

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
)

// link is one connection of a wire.
type link struct {
	wire           *Wire
	client, server net.Conn
	once           sync.Once
	ended          chan struct{}
	// deaf says that no answer reaches the client any more.
	deaf atomic.Bool
}

// end resets both halves, once.
func (l *link) end() {
	l.once.Do(func() {
		close(l.ended)
		reset(l.client)
		reset(l.server)
	})
}

// run passes bytes on until either side is done.
func (l *link) run() {
	var both sync.WaitGroup
	both.Go(func() {
		defer l.end()
		var f *frames
		if l.wire.database {
			f = newFrames()
		}
		l.ask(f)
	})
	both.Go(func() {
		defer l.end()
		l.answer()
	})
	both.Wait()
}

const bufferBytes = 64 << 10

// ask passes on what the client sends.
func (l *link) ask(f *frames) {
	buffer := make([]byte, bufferBytes)
	for {
		n, err := l.client.Read(buffer)
		if n > 0 {
			if l.wire.wait(l.ended) != nil {
				return
			}
			if f != nil && f.commits(buffer[:n]) {
				switch l.wire.takeCommit() {
				case CommitNeverArrives:
					return
				case CommitUnanswered:
					l.deaf.Store(true)
				}
			}
			if _, err := l.server.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// readyForQuery ends what PostgreSQL answers to a commit; the transaction's
// status follows it.
var readyForQuery = []byte{'Z', 0, 0, 0, 5}

// answer passes on what the server sends.
func (l *link) answer() {
	buffer := make([]byte, bufferBytes)
	for {
		n, err := l.server.Read(buffer)
		if n > 0 {
			if l.deaf.Load() {
				if bytes.HasSuffix(buffer[:n-1], readyForQuery) {
					return
				}
				continue
			}
			if l.wire.wait(l.ended) != nil || l.wire.takeAnswer() {
				return
			}
			if _, err := l.client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Wire relays connections to one server.
type Wire struct {
	target   string
	listener net.Listener
	database bool
	done     sync.WaitGroup

	mu      sync.Mutex
	links   map[*link]struct{}
	changed chan struct{} // closed when what follows changes
	refuses bool
	stalled bool
	delay   time.Duration
	// loseAnswers is how many answers are still to be lost, and lost how many were.
	loseAnswers, lost int
	commit            CommitFault
	commits           int
}

// CommitFault is what happens to the next commit on a wire to PostgreSQL.
type CommitFault int

// What can happen to a commit.
const (
	// CommitPasses is no fault.
	CommitPasses CommitFault = iota
	// CommitNeverArrives ends the connection instead of passing the commit on.
	CommitNeverArrives
	// CommitUnanswered passes the commit on, waits until it has taken effect, and
	// ends the connection instead of passing its answer on.
	CommitUnanswered
)

// New starts a wire to an address, "host:port", until it is closed.
func New(ctx context.Context, target string) (*Wire, error) { return open(ctx, target, false) }

// NewDatabase is New for a PostgreSQL server, over connections without TLS.
func NewDatabase(ctx context.Context, target string) (*Wire, error) { return open(ctx, target, true) }

func open(ctx context.Context, target string, database bool) (*Wire, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for a wire to %s: %w", target, err)
	}
	w := &Wire{target: target, listener: listener, database: database, links: map[*link]struct{}{}, changed: make(chan struct{})}
	w.done.Go(w.accept)
	return w, nil
}

// Address is where clients connect to.
func (w *Wire) Address() string { return w.listener.Addr().String() }

// Close ends the wire and all its connections.
func (w *Wire) Close() error {
	err := w.listener.Close()
	w.Repair()
	w.Cut()
	w.done.Wait()
	return err
}

func (w *Wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		w.done.Go(func() { w.relay(client) })
	}
}

// dialTime bounds the wait for a server that does not answer.
const dialTime = 10 * time.Second

func (w *Wire) relay(client net.Conn) {
	defer client.Close()
	w.mu.Lock()
	refuses := w.refuses
	w.mu.Unlock()
	if refuses {
		reset(client)
		return
	}
	dialer := net.Dialer{Timeout: dialTime}
	server, err := dialer.DialContext(context.Background(), "tcp", w.target)
	if err != nil {
		reset(client)
		return
	}
	l := &link{wire: w, client: client, server: server, ended: make(chan struct{})}
	w.mu.Lock()
	w.links[l] = struct{}{}
	w.mu.Unlock()
	l.run()
	w.mu.Lock()
	delete(w.links, l)
	w.mu.Unlock()
}

// reset ends a connection so that its other end gets an error rather than an end.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // what fails here is closed all the same
	}
	_ = c.Close()
}

// Cut resets every connection and returns how many there were. New ones may be made.
func (w *Wire) Cut() int {
	w.mu.Lock()
	links := make([]*link, 0, len(w.links))
	for l := range w.links {
		links = append(links, l)
	}
	w.mu.Unlock()
	for _, l := range links {
		l.end()
	}
	return len(links)
}

// change sets what is wrong with the wire and wakes whoever waits for it.
func (w *Wire) change(set func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set()
	close(w.changed)
	w.changed = make(chan struct{})
}

// Part cuts the wire and refuses new connections until Repair.
func (w *Wire) Part() {
	w.change(func() { w.refuses = true })
	w.Cut()
}

// Stall keeps connections open and lets nothing pass in either direction until
// Repair: to both ends, the other one is silent.
func (w *Wire) Stall() { w.change(func() { w.stalled = true }) }

// Slow delays whatever passes, in each direction, until Repair.
func (w *Wire) Slow(by time.Duration) { w.change(func() { w.delay = by }) }

// LoseAnswers lets the next n answers of the server get lost: each connection
// they were meant for is reset instead.
func (w *Wire) LoseAnswers(n int) { w.change(func() { w.loseAnswers = n }) }

// SpoilCommit does something to the next commit, on a wire to PostgreSQL.
func (w *Wire) SpoilCommit(f CommitFault) { w.change(func() { w.commit = f }) }

// Repair ends everything that is wrong with the wire. Connections that were cut
// stay so.
func (w *Wire) Repair() {
	w.change(func() {
		w.refuses, w.stalled, w.delay, w.loseAnswers, w.commit = false, false, 0, 0, CommitPasses
	})
}

// Lost is how many answers and commits were lost so far, by LoseAnswers and
// SpoilCommit.
func (w *Wire) Lost() (answers, commits int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost, w.commits
}

// takeCommit returns the fault of the commit that is passing now.
func (w *Wire) takeCommit() CommitFault {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.commit
	w.commit = CommitPasses
	if f != CommitPasses {
		w.commits++
	}
	return f
}

// takeAnswer reports whether the answer that is passing now gets lost.
func (w *Wire) takeAnswer() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.loseAnswers == 0 {
		return false
	}
	w.loseAnswers--
	w.lost++
	return true
}

var errEnded = errors.New("the connection was ended")

// wait holds back what is to pass for as long as the wire is slow or stalled.
func (w *Wire) wait(ended <-chan struct{}) error {
	w.mu.Lock()
	delay := w.delay
	w.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ended:
			return errEnded
		}
	}
	for {
		w.mu.Lock()
		stalled, changed := w.stalled, w.changed
		w.mu.Unlock()
		if !stalled {
			return nil
		}
		select {
		case <-changed:
		case <-ended:
			return errEnded
		}
	}
}

package worker_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

const (
	fleetToken = "fleet-token"
	canary     = "canary-Secret/+value"
	theRun     = id.Run(7)
	leaseFor   = 45 * time.Second
)

// fault is what happens to one call on the wire.
type fault int

const (
	noFault fault = iota
	lostRequest
	lostAnswer
	unavailable
	failsAfterCommit
	tooMany
	slow
	hangs
	faults // how many there are
)

// fakePlatform is one run behind the worker protocol. It believes nothing: what
// no worker should do is noted as a breach.
type fakePlatform struct {
	manifest  connector.Manifest
	operation operation.Type
	selection workerapi.Selection
	// wire decides about each call; refuse answers a batch with a status.
	wire   func(call string) fault
	refuse func(workerapi.Header, *connector.Page) int
	// budget answers a question for leave to call the provider.
	budget  func(workerapi.BudgetRequest) workerapi.BudgetAnswer
	ended   chan struct{}
	batches *workerapi.Decoder
	// claimTaken is called when a claim has taken the run, and nobody is told.
	claimTaken func()
	// deadline is how long the run may take from each claim.
	deadline time.Duration

	mu         sync.Mutex
	epoch      int64
	leaseID    string
	token      string
	leaseUntil time.Time
	disclosed  map[int64]bool
	digests    [][sha256.Size]byte
	headers    []workerapi.Header
	records    []string
	partitions []workerapi.Partition
	finished   *workerapi.Finish
	// target is what the connection is for; empty when that is not known yet.
	target    string
	reached   []string
	cancelled bool
	handBacks int
	// asked is what the last claim is known by to its worker, abandoned how many
	// claims were given up.
	asked     string
	abandoned int
	calls     map[string]int
	claimed   map[string]int
	progress  []run.Progress
	breaches  []string
}

func newPlatform(t require.TestingT, m connector.Manifest) *fakePlatform {
	batches, err := workerapi.NewDecoder()
	require.NoError(t, err)
	return &fakePlatform{
		manifest: m, batches: batches, operation: operation.DiscoveryRun, wire: func(string) fault { return noFault }, refuse: func(workerapi.Header, *connector.Page) int { return 0 },
		ended: make(chan struct{}), deadline: time.Hour, disclosed: map[int64]bool{}, calls: map[string]int{}, claimed: map[string]int{},
	}
}

// RoundTrip is the wire between worker and platform.
func (p *fakePlatform) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	call := r.URL.Path[strings.LastIndex(strings.TrimRight(r.URL.Path, "0123456789/"), "/")+1:]
	call = strings.TrimRight(call, "/0123456789")
	p.mu.Lock()
	p.calls[call]++
	what := p.wire(call)
	p.mu.Unlock()
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	answer := func() *http.Response {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Result()
	}
	status := func(code int) *http.Response {
		return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {"1"}}, Body: io.NopCloser(strings.NewReader("<html>a proxy's page</html>")), Request: r}
	}
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	switch what {
	case lostRequest:
		return nil, io.ErrUnexpectedEOF
	case lostAnswer:
		answer()
		return nil, io.ErrUnexpectedEOF
	case unavailable:
		return status(http.StatusServiceUnavailable), nil
	case failsAfterCommit:
		answer()
		return status(http.StatusBadGateway), nil
	case tooMany:
		return status(http.StatusTooManyRequests), nil
	case slow:
		if err := wait(3 * time.Second); err != nil {
			return nil, err
		}
	case hangs:
		return nil, wait(time.Hour)
	}
	return answer(), nil
}

func (p *fakePlatform) breach(format string, args ...any) {
	p.breaches = append(p.breaches, fmt.Sprintf(format, args...))
}

// ServeHTTP answers as the discovery and the integrations service do.
func (p *fakePlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.URL.Path == workerapi.ClaimPath {
		p.claim(w, r, body)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path == workerapi.AbandonPath {
		p.abandon(w, r, body)
		return
	}
	for _, form := range []string{canary, strings.ReplaceAll(canary, "/", "%2F")} {
		if bytes.Contains(body, []byte(form)) {
			p.breach("%s carries a secret: %s", r.URL.Path, body)
		}
	}
	var number int64
	isBatch, _ := fmt.Sscanf(r.URL.Path, workerapi.BatchPath(theRun, 0)[:len(workerapi.BatchPath(theRun, 0))-1]+"%d", &number)
	lease := r.Header.Get(workerapi.LeaseHeader)
	if isBatch == 0 {
		var l workerapi.Lease
		if json.Unmarshal(body, &l) != nil {
			p.breach("%s without a lease", r.URL.Path)
		}
		lease = l.Header()
	}
	current := workerapi.Lease{Epoch: p.epoch, LeaseID: p.leaseID}.Header()
	if p.finished != nil || lease != current || r.Header.Get("Authorization") != "Bearer "+p.token || time.Now().After(p.leaseUntil) {
		w.WriteHeader(http.StatusConflict)
		return
	}
	switch {
	case isBatch == 1 && r.Method == http.MethodPut:
		p.batch(w, r, number, body)
	case r.Method == http.MethodPost && r.URL.Path == workerapi.ConfigurationPath(theRun) && r.Host == "integrations.test":
		p.configuration(w)
	case r.Method == http.MethodPost && r.URL.Path == workerapi.HeartbeatPath(theRun):
		p.heartbeat(w, body)
	case r.Method == http.MethodPost && r.URL.Path == workerapi.ReachPath(theRun):
		p.reach(w, body)
	case r.Method == http.MethodPost && r.URL.Path == workerapi.BudgetPath(theRun):
		var b workerapi.BudgetRequest
		if err := json.Unmarshal(body, &b); err != nil || b.IntegrationID != p.manifest.IntegrationID {
			p.breach("a question for leave that cannot be read: %s", body)
		}
		_ = json.NewEncoder(w).Encode(p.budget(b)) // a recorder does not fail
	case r.Method == http.MethodPost && r.URL.Path == workerapi.HandBackPath(theRun):
		p.handBacks++
		p.leaseUntil = time.Time{}
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost && r.URL.Path == workerapi.FinishPath(theRun):
		p.finish(w, body)
	default:
		p.breach("%s %s%s is no call of the protocol", r.Method, r.Host, r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}
}

func (p *fakePlatform) claim(w http.ResponseWriter, r *http.Request, body []byte) {
	var c workerapi.ClaimRequest
	if err := json.Unmarshal(body, &c); err != nil || c.Worker == "" || len(c.Queues) == 0 || r.Header.Get("Authorization") != "Bearer "+fleetToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	for until := time.Now().Add(time.Duration(c.WaitSeconds) * time.Second); ; {
		if a, ok := p.take(c); ok {
			if p.claimTaken != nil {
				p.claimTaken()
				<-r.Context().Done()
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(a) // a recorder does not fail
			return
		}
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
			return
		}
		if time.Now().After(until) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
}

// abandon gives up the last claim, if that is meant.
func (p *fakePlatform) abandon(w http.ResponseWriter, r *http.Request, body []byte) {
	var a workerapi.Abandon
	if err := json.Unmarshal(body, &a); err != nil || r.Header.Get("Authorization") != "Bearer "+fleetToken {
		p.breach("a claim cannot be abandoned so: %s", body)
	}
	if a.LeaseID == p.asked && time.Now().Before(p.leaseUntil) {
		p.leaseUntil = time.Time{}
		p.abandoned++
	}
	w.WriteHeader(http.StatusNoContent)
}

// reach ends the run when the connection is for another organisation.
func (p *fakePlatform) reach(w http.ResponseWriter, body []byte) {
	var r workerapi.Reach
	if err := json.Unmarshal(body, &r); err != nil || r.Target.ID == "" {
		p.breach("reach without a target")
	}
	p.reached = append(p.reached, r.Target.ID)
	ended := p.target != "" && r.Target.ID != p.target
	if ended {
		p.leaseUntil = time.Time{}
		p.finished = &workerapi.Finish{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(workerapi.ReachAnswer{Ended: ended}) // a recorder does not fail
}

func (p *fakePlatform) take(c workerapi.ClaimRequest) (workerapi.Assignment, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished != nil || time.Now().Before(p.leaseUntil) {
		return workerapi.Assignment{}, false
	}
	p.epoch++
	p.claimed[c.Worker]++
	p.asked = c.LeaseID
	p.leaseID, p.token, p.leaseUntil = leaseOf(p.epoch).LeaseID, fmt.Sprintf("gr_token_%d", p.epoch), time.Now().Add(leaseFor)
	return workerapi.Assignment{
		RunID: theRun, Epoch: p.epoch, LeaseID: p.leaseID, Token: p.token, OperationType: string(p.operation), IntegrationID: p.manifest.IntegrationID,
		ConnectionID: 3, Attempt: int(p.epoch), LeaseSeconds: int(leaseFor.Seconds()), HeartbeatSeconds: 15, DeadlineSeconds: int(p.deadline.Seconds()),
		NextBatch: int64(len(p.digests)), Partitions: append([]workerapi.Partition(nil), p.partitions...), Selection: p.selection,
	}, true
}

func (p *fakePlatform) configuration(w http.ResponseWriter) {
	if p.disclosed[p.epoch] {
		w.WriteHeader(http.StatusConflict)
		return
	}
	p.disclosed[p.epoch] = true
	c := workerapi.Configuration{IntegrationID: p.manifest.IntegrationID, Configuration: json.RawMessage(`{"region":"here","key":"` + canary + `"}`), Scope: json.RawMessage(`{}`)}
	_ = json.NewEncoder(w).Encode(c) // a recorder does not fail
}

func (p *fakePlatform) heartbeat(w http.ResponseWriter, body []byte) {
	var h workerapi.Heartbeat
	if err := json.Unmarshal(body, &h); err != nil {
		p.breach("a heartbeat that cannot be read: %v", err)
	}
	p.progress = append(p.progress, h.Progress)
	p.leaseUntil = time.Now().Add(leaseFor)
	_ = json.NewEncoder(w).Encode(workerapi.HeartbeatAnswer{Cancel: p.cancelled}) // a recorder does not fail
}

func (p *fakePlatform) finish(w http.ResponseWriter, body []byte) {
	var f workerapi.Finish
	if err := json.Unmarshal(body, &f); err != nil {
		p.breach("a finish that cannot be read: %v", err)
	}
	p.finished = &f
	close(p.ended)
	w.WriteHeader(http.StatusNoContent)
}

// window is how many batches a worker may have on their way.
const window = 2

func (p *fakePlatform) batch(w http.ResponseWriter, r *http.Request, number int64, body []byte) {
	digest := sha256.Sum256(body)
	switch next := int64(len(p.digests)); {
	case number == next-1 && p.digests[number] == digest:
		w.WriteHeader(http.StatusNoContent)
		return
	case number > next && number < next+window, number < next-1 && number >= next-window && p.digests[number] == digest:
		// It overtook the one before it, or the one behind it has been stored: the
		// platform knows the last one's digest alone.
		w.WriteHeader(http.StatusConflict)
		return
	case number != next:
		p.breach("batch %d came when %d was next, or with other bytes", number, next)
		w.WriteHeader(http.StatusConflict)
		return
	case p.cancelled:
		w.WriteHeader(http.StatusConflict)
		return
	}
	if r.Header.Get("Content-Encoding") != workerapi.BatchEncoding || r.Header.Get("Content-Type") != workerapi.BatchContentType {
		p.breach("batch %d is not labelled as one", number)
	}
	h, page, err := p.batches.Decode(body)
	if err != nil {
		p.breach("batch %d cannot be read: %v", number, err)
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	if status := p.refuse(h, page); status != 0 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"detail": "not this one"}) // a recorder does not fail
		return
	}
	p.store(number, h, page)
	p.digests = append(p.digests, digest)
	p.leaseUntil = time.Now().Add(leaseFor)
	w.WriteHeader(http.StatusNoContent)
}

// store notes what is in a batch and checks that it may come now.
func (p *fakePlatform) store(number int64, h workerapi.Header, page *connector.Page) {
	stream, ok := p.manifest.Stream(h.Stream)
	if err := connector.ValidatePage(stream, page); err != nil || !ok {
		p.breach("batch %d breaks the contract: %v", number, err)
	}
	if h.End == "" && (h.Next == "" || h.Failure != nil) {
		p.breach("batch %d neither ends its partition nor says where to continue", number)
	}
	if text := fmt.Sprintf("%+v %+v", h.Failure, page); strings.Contains(text, canary) {
		p.breach("batch %d carries a secret", number)
	}
	i := 0
	for i < len(p.partitions) && (p.partitions[i].Stream != h.Stream || p.partitions[i].Key != h.Partition) {
		i++
	}
	if i == len(p.partitions) {
		p.partitions = append(p.partitions, workerapi.Partition{Stream: h.Stream, Key: h.Partition})
	}
	if p.partitions[i].Ended {
		p.breach("batch %d belongs to a partition that has ended", number)
	}
	p.partitions[i].Cursor, p.partitions[i].Ended = string(h.Next), h.End != ""
	p.headers = append(p.headers, h)
	for _, e := range page.Entities {
		p.records = append(p.records, e.ID)
	}
}

// leaseOf is the lease of an epoch.
func leaseOf(epoch int64) workerapi.Lease {
	return workerapi.Lease{Epoch: epoch, LeaseID: fmt.Sprintf("%032x", epoch)}
}

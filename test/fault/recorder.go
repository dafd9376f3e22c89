package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// recorder stands directly before the discovery service and keeps what workers
// sent and what they were answered, whether or not the answer reached them.
type recorder struct {
	server *httptest.Server

	mu sync.Mutex
	// newest is the highest epoch of each run that was handed out, and since when
	// that is certain.
	newest map[string]handedOut
	writes int
	// refused counts writes that were told that they are no longer the holder's.
	refused int
	stale   []string
}

type handedOut struct {
	epoch int64
	at    time.Time
}

func newRecorder(service string) (*recorder, error) {
	target, err := url.Parse(service)
	if err != nil {
		return nil, fmt.Errorf("address of the discovery service: %w", err)
	}
	r := &recorder{newest: map[string]handedOut{}}
	relay := &httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 50},
		// The service is down: its client learns no more than that.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	relay.ModifyResponse = r.answered
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		relay.ServeHTTP(w, req.WithContext(withArrival(req.Context(), time.Now())))
	}))
	return r, nil
}

// answered notes one exchange. A worker's token names its run and epoch; what
// comes before a claim or after a failure names neither.
func (r *recorder) answered(res *http.Response) error {
	if res.Request.URL.Path == workerapi.ClaimPath {
		return r.claimed(res)
	}
	run, epoch, ok := holderOf(res.Request)
	if !ok {
		return nil
	}
	arrived := arrivalOf(res.Request.Context())
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case res.StatusCode == http.StatusConflict:
		r.refused++
	case res.StatusCode < 300:
		r.writes++
		if last := r.newest[run]; last.epoch > epoch && last.at.Before(arrived) {
			r.stale = append(r.stale, fmt.Sprintf("%s of %s in epoch %d was accepted after epoch %d had been handed out", res.Request.URL.Path, run, epoch, last.epoch))
		}
	}
	return nil
}

// claimed notes an epoch that was handed out.
func (r *recorder) claimed(res *http.Response) error {
	if res.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	var a workerapi.Assignment
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("read an assignment: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Epoch > r.newest[a.RunID.String()].epoch {
		r.newest[a.RunID.String()] = handedOut{a.Epoch, time.Now()}
	}
	return nil
}

// holderOf reads a run-scoped token, "gr_<workspace>.<run>.<epoch>.<secret>".
func holderOf(req *http.Request) (run string, epoch int64, ok bool) {
	parts := strings.Split(req.Header.Get("Authorization"), ".")
	if len(parts) != 4 {
		return "", 0, false
	}
	epoch, err := strconv.ParseInt(parts[2], 10, 64)
	return "run_" + parts[1], epoch, err == nil
}

// checked is how many writes were accepted and refused so far, and which of those
// accepted should not have been.
func (r *recorder) checked() (writes, refused int, stale []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes, r.refused, append([]string(nil), r.stale...)
}

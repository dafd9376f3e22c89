package awsestate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// playback answers a request it has seen before from memory, and passes others
// on. What identifies a request is all of it but the signature and the clock;
// the access key is part of it, because it says which account is asked.
type playback struct {
	next http.RoundTripper

	mu      sync.Mutex
	answers map[[sha256.Size]byte]answer
	missed  int
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func newPlayback() *playback {
	return &playback{next: http.DefaultTransport, answers: map[[sha256.Size]byte]answer{}}
}

// RoundTrip implements [http.RoundTripper].
func (p *playback) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	key := keyOf(r, body)
	p.mu.Lock()
	kept, ok := p.answers[key]
	p.mu.Unlock()
	if !ok {
		var err error
		if kept, err = p.ask(r); err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.answers[key] = kept
		p.missed++
		p.mu.Unlock()
	}
	return &http.Response{
		StatusCode: kept.status, Header: kept.header.Clone(), Body: io.NopCloser(bytes.NewReader(kept.body)),
		ContentLength: int64(len(kept.body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}, nil
}

func (p *playback) ask(r *http.Request) (answer, error) {
	res, err := p.next.RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{res.StatusCode, res.Header, body}, nil
}

func keyOf(r *http.Request, body []byte) [sha256.Size]byte {
	credential, _, _ := strings.Cut(r.Header.Get("Authorization"), "/")
	return sha256.Sum256([]byte(strings.Join([]string{r.Method, r.URL.String(), credential, r.Header.Get("X-Amz-Target"), string(body)}, "\n")))
}

// asked returns how many requests had to be passed on since it was last asked.
func (p *playback) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.missed
	p.missed = 0
	return n
}

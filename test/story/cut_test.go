package story

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cut stands before a plane and does something to the files that are downloaded.
type cut struct {
	plane *plane
	url   string

	mu sync.Mutex
	// ranges are those that were asked for.
	ranges []string
	edit   func(*http.Response)
}

// newCut lets the first bytes of a file through and then no more, until told
// otherwise.
func newCut(t *testing.T, p *plane) *cut {
	t.Helper()
	to, err := url.Parse(p.url)
	require.NoError(t, err)
	c := &cut{plane: p}
	c.edit = func(res *http.Response) {
		res.Body = &stalled{ReadCloser: res.Body, left: part, away: res.Request.Context().Done()}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1, // at once
		ModifyResponse: func(res *http.Response) error {
			if !strings.HasSuffix(res.Request.URL.Path, "/content") {
				return nil
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ranges = append(c.ranges, res.Request.Header.Get("Range"))
			c.edit(res)
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// environment has commands ask over it.
func (c *cut) environment() []string {
	return []string{"GATEHOUSE_URL=" + c.url, "GATEHOUSE_API_KEY=" + c.plane.key}
}

// whole lets everything through as it is.
func (c *cut) whole() { c.set(func(*http.Response) {}) }

// damage changes one byte of each file.
func (c *cut) damage() {
	c.set(func(res *http.Response) { res.Body = &damaged{ReadCloser: res.Body, at: part} })
}

func (c *cut) set(edit func(*http.Response)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.edit = edit
}

func (c *cut) asked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ranges
}

// stalled is a body of which no more comes after so many bytes, until whoever
// reads it has gone away.
type stalled struct {
	io.ReadCloser
	left int
	away <-chan struct{}
}

func (s *stalled) Read(p []byte) (int, error) {
	if s.left == 0 {
		<-s.away
		return 0, io.ErrUnexpectedEOF
	}
	n, err := s.ReadCloser.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// damaged is a body with one byte changed.
type damaged struct {
	io.ReadCloser
	at int
}

func (d *damaged) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if d.at >= 0 && d.at < n {
		p[d.at] ^= 1
	}
	d.at -= n
	return n, err
}

package process

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// maxTunnels is how many connections a program may have at once.
const maxTunnels = 128

// proxy is an HTTP proxy for one program. Whatever goes through it is dialled, or sent,
// by the session's own client, so that its rules on hosts and addresses hold.
type proxy struct {
	listener net.Listener
	server   *http.Server
	via      http.RoundTripper
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	// password keeps others out where the listener can be reached by them.
	password string
	url      string
	log      *journal
	stop     context.CancelFunc
	tunnels  sync.WaitGroup
	slots    chan struct{}
}

// proxyUser is the name in the proxy's URL; the password alone counts.
const proxyUser = "connector"

func newProxy(listener net.Listener, client *http.Client, log *journal) *proxy {
	p := &proxy{listener: listener, password: rand.Text(), log: log, via: client.Transport, slots: make(chan struct{}, maxTunnels)}
	if p.via == nil {
		p.via = http.DefaultTransport
	}
	if t, ok := p.via.(*http.Transport); ok {
		p.dial = t.DialContext
	}
	p.url = (&url.URL{Scheme: "http", User: url.UserPassword(proxyUser, p.password), Host: listener.Addr().String()}).String()
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Header.Del("Proxy-Authorization") },
		Transport: p.via,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p.refuse(w, r.URL.Host, err)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	p.server = &http.Server{
		ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !p.known(r):
				w.Header().Set("Proxy-Authenticate", `Basic realm="gatehouse"`)
				http.Error(w, "this proxy is for the connector that was told its password", http.StatusProxyAuthRequired)
			case r.Method == http.MethodConnect:
				p.tunnel(w, r)
			case r.URL.Scheme != "http" || r.URL.Host == "":
				http.Error(w, "this is a proxy: ask for an absolute URL, or use CONNECT", http.StatusBadRequest)
			default:
				forward.ServeHTTP(w, r)
			}
		}),
	}
	return p
}

// known reports whether a request has the password.
func (p *proxy) known(r *http.Request) bool {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+p.password))
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Proxy-Authorization")), []byte(want)) == 1
}

// serve serves until close.
func (p *proxy) serve() { _ = p.server.Serve(p.listener) }

// close ends everything under way.
func (p *proxy) close() {
	p.stop()
	_ = p.server.Close()
	p.tunnels.Wait()
}

// refuse answers what could not be reached. A refusal of the operator's rules is
// logged and told as it is.
func (p *proxy) refuse(w http.ResponseWriter, host string, err error) {
	if blocked, ok := errors.AsType[*egress.BlockedError](err); ok {
		p.log.log.Warn("the connector may not reach a host", slog.String("host", clip(host)), slog.String("reason", string(blocked.Reason)))
		http.Error(w, blocked.Error(), http.StatusForbidden)
		return
	}
	p.log.log.Debug("the connector could not reach a host", slog.String("host", clip(host)), slog.Any("error", err))
	http.Error(w, "the host does not answer", http.StatusBadGateway)
}

// tunnel carries a connection to the provider, which the proxy cannot look into.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		http.Error(w, "the connector has too many connections", http.StatusServiceUnavailable)
		return
	}
	if p.dial == nil {
		http.Error(w, "this proxy carries plain HTTP alone", http.StatusNotImplemented)
		return
	}
	there, err := p.dial(r.Context(), "tcp", r.Host)
	if err != nil {
		p.refuse(w, r.Host, err)
		return
	}
	defer there.Close()
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "this connection cannot be a tunnel", http.StatusInternalServerError)
		return
	}
	p.tunnels.Add(1)
	defer p.tunnels.Done()
	ctx := r.Context()
	here, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	carry(ctx, here, there, buffered)
}

// carry copies both ways until one side ends, or everything does.
func carry(ctx context.Context, here, there net.Conn, buffered io.Reader) {
	var both sync.WaitGroup
	end := func() { _, _ = here.Close(), there.Close() }
	stop := context.AfterFunc(ctx, end)
	defer stop()
	both.Go(func() { defer end(); _, _ = io.Copy(there, buffered) })
	both.Go(func() { defer end(); _, _ = io.Copy(here, there) })
	both.Wait()
}

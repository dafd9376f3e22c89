package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/oauth2"
)

// callbackPath is where the provider sends the browser back to.
const callbackPath = "/callback"

// Loopback has somebody sign in in their browser, by authorization code with PKCE
// and a listener on a loopback address (RFC 8252). show is told the address to
// open. Port 0 is any free one; others are for providers that compare it. It waits
// until they have signed in or ctx ends.
func (p Provider) Loopback(ctx context.Context, port int, show func(address string)) (Tokens, error) {
	ctx, d, err := p.discover(ctx)
	if err != nil {
		return Tokens{}, err
	}
	if d.oauth.Endpoint.AuthURL == "" {
		return Tokens{}, fmt.Errorf("%s has no sign-in by browser; sign in with --device", p.Issuer)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return Tokens{}, fmt.Errorf("listen for the browser: %w", err)
	}
	d.oauth.RedirectURL = "http://" + ln.Addr().String() + callbackPath
	state, pkce := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()

	answered := make(chan answer, 1)
	server := &http.Server{Handler: callback(state, answered), ReadHeaderTimeout: requestTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(ln) // what it ends with is that it was shut down
	}()
	show(d.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(pkce), d.nonce()))
	var got answer
	select {
	case got = <-answered:
	case <-ctx.Done():
		got.err = context.Cause(ctx)
	}
	// The page that says so is still on its way.
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		_ = server.Close()
	}
	<-served
	if got.err != nil {
		return Tokens{}, got.err
	}
	t, err := d.oauth.Exchange(ctx, got.code, oauth2.VerifierOption(pkce))
	if err != nil {
		return Tokens{}, describe("exchange the code", err)
	}
	return d.tokens(t)
}

// answer is what the browser brought back.
type answer struct {
	code string
	err  error
}

// callback takes the first answer with the right state. Anything else that calls
// the port changes nothing.
func callback(state string, answered chan<- answer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+callbackPath, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintln(w, "This is not the answer that gatehouse login waits for. Start again from the command line.")
			return
		}
		got := answer{code: q.Get("code")}
		if refused := q.Get("error"); refused != "" || got.code == "" {
			got.err = errors.New("the provider refused the sign-in: " + refused + " " + q.Get("error_description"))
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(w, "You are not signed in. The command line says why.")
		} else {
			fmt.Fprintln(w, "You are signed in. Go back to the command line; this page can be closed.")
		}
		select {
		case answered <- got:
		default: // a second answer with the same state
		}
	})
	return mux
}

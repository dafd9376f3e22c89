package cyberark

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tokenLifetime is what third parties report of access tokens.
const tokenLifetime = 15 * time.Minute

// maxBody bounds what a client may send.
const maxBody = 1 << 20

// tokens are those that were issued.
type tokens struct {
	mu     sync.Mutex
	issued map[string]*token
}

// token is an access token.
type token struct {
	ends time.Time
	// scoped tokens are bound to the patterns of the app's scope.
	scoped bool
	used   int
}

func (t *tokens) issue(ends time.Time, scoped bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.issued == nil {
		t.issued = map[string]*token{}
	}
	value := "simulated-" + strconv.Itoa(len(t.issued)+1)
	t.issued[value] = &token{ends: ends, scoped: scoped}
	return value
}

// use counts a call of a token that is good.
func (t *tokens) use(value string, now time.Time) (scoped bool, used int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held, ok := t.issued[value]
	if !ok || !now.Before(held.ends) {
		return false, 0, false
	}
	held.used++
	return held.scoped, held.used, true
}

// serveToken answers the token endpoint of the OAuth2 client app.
func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	a := s.estate.Auditor
	login, password, basic := r.BasicAuth()
	s.signIn(w, r, func() (scoped bool, code, text string) {
		switch {
		case r.PathValue("application") != a.ApplicationID:
			return false, "invalid_client", "unknown application"
		case r.PostForm.Get("grant_type") != "client_credentials":
			return false, "unsupported_grant_type", "the grant type is not enabled for the application"
		case !basic || !same(login, a.Login) || !same(password, a.Password):
			return false, "access_denied", "authentication failed"
		case r.PostForm.Get("scope") != a.Scope:
			return false, "invalid_scope", "the scope is not defined"
		}
		return true, "", ""
	})
}

// servePlatformToken answers the token endpoint of the platform, whose tokens have
// no scope.
func (s *Simulator) servePlatformToken(w http.ResponseWriter, r *http.Request) {
	a := s.estate.Auditor
	s.signIn(w, r, func() (scoped bool, code, text string) {
		switch {
		case r.PostForm.Get("grant_type") != "client_credentials":
			return false, "unsupported_grant_type", "the grant type is not known"
		case !same(r.PostForm.Get("client_id"), a.Login) || !same(r.PostForm.Get("client_secret"), a.Password):
			return false, "access_denied", "authentication failed"
		}
		return false, "", ""
	})
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Simulator) signIn(w http.ResponseWriter, r *http.Request, decide func() (scoped bool, code, text string)) {
	s.calls.Add(opToken)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		refuseToken(w, http.StatusBadRequest, "invalid_request", "the body is no form")
		return
	}
	effect := s.faults.on(opToken, 0)
	if effect.delay > 0 && !wait(r, effect.delay) {
		return
	}
	scoped, code, text := decide()
	switch {
	case effect.kind == FaultThrottle:
		w.Header().Set("Retry-After", strconv.Itoa(effect.retryAfter))
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
	case effect.kind == FaultUnavailable:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	case effect.kind == FaultPage:
		servePage(w)
	case effect.kind == FaultSignIn:
		refuseToken(w, http.StatusBadRequest, effect.code, effect.text)
	case effect.broken:
		_, _ = w.Write([]byte(`{"token_type":"Bearer","acc`)) // the client may be gone
	case text == "unknown application":
		http.NotFound(w, r)
	case code == "access_denied":
		refuseToken(w, http.StatusUnauthorized, code, text)
	case code != "":
		refuseToken(w, http.StatusBadRequest, code, text)
	default:
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": s.tokens.issue(s.clock().Add(tokenLifetime), scoped), "token_type": "Bearer", "expires_in": int(tokenLifetime.Seconds()),
		})
	}
}

func refuseToken(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]any{"error": code, "error_description": text})
}

// bearer is the access token of a request.
func bearer(r *http.Request) string {
	value, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return value
}

// wait holds a request back, and answers false when the client gave up.
func wait(r *http.Request, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// The client may be gone; nobody is left to tell.
	_ = encoder.Encode(body)
}

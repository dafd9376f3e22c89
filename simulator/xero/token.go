package xero

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

const (
	opToken = "identity:token"
	// tokenLifetime is that of an access token.
	tokenLifetime = 30 * time.Minute
	// RefreshGrace is for how long a refresh token that was exchanged is taken again,
	// unless a newer one has been exchanged since.
	RefreshGrace = 30 * time.Minute
	// refreshLifetime is for how long one may lie unused.
	refreshLifetime = 60 * 24 * time.Hour
	maxBody         = 1 << 16
)

// issuer gives out tokens. Each refresh token is good for one exchange.
type issuer struct {
	ClientID, ClientSecret string
	userID                 string

	mu      sync.Mutex
	issued  int
	refresh map[string]*refreshToken
}

// refreshToken is one of a line of tokens that began with a sign-in.
type refreshToken struct {
	line, place int
	issuedAt    time.Time
	exchanged   time.Time
	// newest is the last place of the line that was exchanged.
	newest *int
}

func (i *issuer) begin(c *enterprise.Company) {
	i.ClientID = strings.ToUpper(strings.ReplaceAll(c.Draw().UUID("xero app"), "-", ""))
	i.ClientSecret = c.Draw().Letters(48, "abcdefghijklmnopqrstuvwxyz0123456789-_", "xero app secret")
	i.userID = c.Draw().UUID("xero user", 0)
	i.refresh = map[string]*refreshToken{}
}

// SignIn has the head of the company consent once more, and returns the refresh token.
// Those of earlier sign-ins stay good, as at Xero.
func (s *Simulator) SignIn() string {
	s.issuer.mu.Lock()
	defer s.issuer.mu.Unlock()
	s.issuer.issued++
	return s.issuer.issue(s.clock(), s.issuer.issued, 0, new(int))
}

// ClientID and ClientSecret are the app's.
func (s *Simulator) ClientID() string { return s.issuer.ClientID }

// ClientSecret is the app's.
func (s *Simulator) ClientSecret() string { return s.issuer.ClientSecret }

func (i *issuer) issue(now time.Time, line, place int, newest *int) string {
	mac := hmac.New(sha256.New, []byte(i.ClientSecret))
	fmt.Fprintf(mac, "%d.%d.%d", line, place, len(i.refresh))
	token := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	i.refresh[token] = &refreshToken{line: line, place: place, issuedAt: now, newest: newest}
	return token
}

// exchange returns the next refresh token; ok is false for one that is not taken.
func (i *issuer) exchange(now time.Time, token string) (next string, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, known := i.refresh[token]
	switch {
	case !known, now.Sub(held.issuedAt) > refreshLifetime:
		return "", false
	case !held.exchanged.IsZero() && (now.Sub(held.exchanged) > RefreshGrace || held.place < *held.newest):
		return "", false // used before
	}
	if held.exchanged.IsZero() {
		held.exchanged = now
	}
	*held.newest = max(*held.newest, held.place)
	return i.issue(now, held.line, held.place+1, held.newest), true
}

func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(opToken)
	if s.struck(w, r, opToken, "") {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	id, secret, basic := r.BasicAuth()
	known := basic && id == s.issuer.ClientID && subtle.ConstantTimeCompare([]byte(secret), []byte(s.issuer.ClientSecret)) == 1
	bad := func(code string) { writeJSON(w, http.StatusBadRequest, map[string]string{"error": code}) }
	if err := r.ParseForm(); err != nil {
		bad("invalid_request")
		return
	}
	answer := map[string]any{"token_type": "Bearer", "expires_in": int(tokenLifetime.Seconds())}
	switch grant := r.PostForm.Get("grant_type"); {
	case !known:
		bad("invalid_client")
		return
	case grant == "refresh_token":
		next, ok := s.issuer.exchange(s.clock(), r.PostForm.Get("refresh_token"))
		if !ok {
			bad("invalid_grant")
			return
		}
		answer["access_token"], answer["refresh_token"] = s.access(s.issuer.userID), next
	case grant == "client_credentials":
		answer["access_token"] = s.access("")
	default:
		bad("unsupported_grant_type")
		return
	}
	answer["scope"] = strings.Join(s.scopes(), " ")
	writeJSON(w, http.StatusOK, answer)
}

func (s *Simulator) scopes() []string {
	all := []string{"openid", "profile", "email", "offline_access"}
	if !s.faults.denied("accounting.settings.read") {
		all = append(all, "accounting.settings.read")
	}
	return all
}

// claims are those of an access token that matter here.
type claims struct {
	Issuer   string   `json:"iss"`
	ClientID string   `json:"client_id"`
	User     string   `json:"xero_userid,omitempty"`
	Expires  int64    `json:"exp"`
	ID       string   `json:"jti"`
	Scope    []string `json:"scope"`
}

// access makes an access token; without a user, that of a custom connection.
func (s *Simulator) access(user string) string {
	s.issuer.mu.Lock()
	s.issuer.issued++
	n := s.issuer.issued
	s.issuer.mu.Unlock()
	body, err := json.Marshal(claims{
		Issuer: "https://identity.xero.com", ClientID: s.issuer.ClientID, User: user, Expires: s.clock().Add(tokenLifetime).Unix(), ID: fmt.Sprint(n), Scope: s.scopes(),
	})
	if err != nil {
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + s.sign(text)
}

func (s *Simulator) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(s.issuer.ClientSecret+"/access"))
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// bearer reads the access token of a request.
func (s *Simulator) bearer(r *http.Request) (c claims, text string, ok bool) {
	text, ok = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(text, ".")
	if !ok || len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(s.sign(parts[0]+"."+parts[1]))) {
		return c, text, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return c, text, false
	}
	return c, text, s.clock().Unix() < c.Expires
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The client may be gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

package azure

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint by definition
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// The services, by the names that faults and counts use.
const (
	serviceLogin = "login"
	serviceGraph = "graph"
	serviceARM   = "arm"
)

// tokenLifetime is that of an access token; Microsoft's vary from 60 to 90 minutes.
const tokenLifetime = time.Hour

// claims are those of an access token that matter here.
type claims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	Tenant   string   `json:"tid"`
	Object   string   `json:"oid"`
	Client   string   `json:"appid"`
	Roles    []string `json:"roles,omitempty"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	ID       string   `json:"uti"`
}

// granted are the application permissions that the auditor has consent for.
func granted() []string {
	return []string{
		"AdministrativeUnit.Read.All", "Application.Read.All", "AuditLog.Read.All", "DelegatedPermissionGrant.Read.All", "GroupMember.Read.All",
		"Member.Read.Hidden", "Organization.Read.All", "RoleManagement.Read.Directory", "User.Read.All",
	}
}

func (s *Simulator) knowsTenant(name string) bool {
	return strings.EqualFold(name, s.estate.TenantID) || strings.EqualFold(name, s.estate.Company.Domain)
}

func (s *Simulator) serveDiscovery(w http.ResponseWriter, r *http.Request, tenant string) {
	s.requests.Add(1)
	s.calls.Add(serviceLogin + ":discovery")
	if !s.knowsTenant(tenant) {
		s.refuseSignIn(w, http.StatusBadRequest, "invalid_tenant", 90002, "Tenant '"+tenant+"' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")
		return
	}
	base := control.Origin(r) + "/" + s.estate.TenantID
	writeJSON(w, http.StatusOK, map[string]any{
		"token_endpoint":         base + "/oauth2/v2.0/token",
		"authorization_endpoint": base + "/oauth2/v2.0/authorize",
		"jwks_uri":               base + "/discovery/v2.0/keys",
		// The issuer is the cloud's, whatever the address.
		"issuer": "https://login.microsoftonline.com/" + s.estate.TenantID + "/v2.0",
	})
}

func (s *Simulator) serveToken(w http.ResponseWriter, r *http.Request, tenant string) {
	s.requests.Add(1)
	s.calls.Add(serviceLogin + ":token")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		s.refuseSignIn(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must be a form.")
		return
	}
	effect := s.faults.on(call{service: serviceLogin, operation: "token"})
	if effect.delay > 0 && !wait(r, effect.delay) {
		return
	}
	client := r.PostForm.Get("client_id")
	audience, ok := audienceOf(r.PostForm.Get("scope"))
	switch {
	case effect.kind == FaultThrottle:
		w.Header().Set("Retry-After", fmt.Sprint(effect.retryAfter))
		s.refuseSignIn(w, http.StatusTooManyRequests, "temporarily_unavailable", 90055, "The server is temporarily too busy to handle the request.")
	case effect.kind == FaultUnavailable:
		s.refuseSignIn(w, http.StatusServiceUnavailable, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again.")
	case effect.kind == FaultSignIn:
		s.refuseSignIn(w, http.StatusUnauthorized, signInError(effect.code), effect.code, "The request was refused.")
	case effect.broken:
		_, _ = w.Write([]byte(`{"token_type":"Bearer","acc`)) // the client may be gone
	case !s.knowsTenant(tenant):
		s.refuseSignIn(w, http.StatusBadRequest, "invalid_request", 90002, "Tenant '"+tenant+"' not found.")
	case r.PostForm.Get("grant_type") != "client_credentials":
		s.refuseSignIn(w, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
	case r.PostForm.Has("resource"):
		s.refuseSignIn(w, http.StatusBadRequest, "invalid_request", 901002, "The 'resource' request parameter is not supported.")
	case client != s.estate.Auditor.ClientID:
		s.refuseSignIn(w, http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '"+client+"' was not found in the directory.")
	case !ok:
		s.refuseSignIn(w, http.StatusBadRequest, "invalid_scope", 1002012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.")
	case !s.authenticated(r):
		if r.PostForm.Has("client_assertion") {
			s.refuseSignIn(w, http.StatusUnauthorized, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
			return
		}
		if !r.PostForm.Has("client_secret") {
			s.refuseSignIn(w, http.StatusUnauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
			return
		}
		s.refuseSignIn(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '"+client+"'.")
	default:
		writeJSON(w, http.StatusOK, map[string]any{
			"token_type": "Bearer", "expires_in": int(tokenLifetime.Seconds()), "ext_expires_in": int(tokenLifetime.Seconds()), "access_token": s.issue(audience),
		})
	}
}

func signInError(code int) string {
	switch code {
	case 65001, 90094:
		return "invalid_grant"
	case 500011, 28002, 70011:
		return "invalid_resource"
	}
	return "invalid_client"
}

// audienceOf is the resource of a scope that ends in /.default; libraries send
// OpenID's own scopes beside it.
func audienceOf(scope string) (string, bool) {
	for _, one := range strings.Fields(scope) {
		if audience, ok := strings.CutSuffix(one, "/.default"); ok {
			return strings.TrimSuffix(audience, "/"), true
		}
	}
	return "", false
}

func (s *Simulator) authenticated(r *http.Request) bool {
	if assertion := r.PostForm.Get("client_assertion"); assertion != "" {
		return r.PostForm.Get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" && s.signedByCertificate(assertion)
	}
	return subtle.ConstantTimeCompare([]byte(r.PostForm.Get("client_secret")), []byte(s.estate.Auditor.Secret)) == 1
}

// signedByCertificate checks a client assertion as "Microsoft identity platform
// application authentication certificate credentials" describes it.
func (s *Simulator) signedByCertificate(assertion string) bool {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct {
		Algorithm string `json:"alg"`
		SHA1      string `json:"x5t"`
		SHA256    string `json:"x5t#S256"`
	}
	var body struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
	}
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &body) {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || body.Issuer != s.estate.Auditor.ClientID || body.Subject != body.Issuer || !strings.HasSuffix(body.Audience, "/oauth2/v2.0/token") || body.Expires < s.clock().Unix() {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, c := range s.options.Certificates {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		if !ok || !thumbprintIs(c, header.SHA1, header.SHA256) {
			continue
		}
		if header.Algorithm == "PS256" {
			return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil) == nil
		}
		return header.Algorithm == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

func thumbprintIs(c *x509.Certificate, short, long string) bool {
	// Microsoft takes both of base64's alphabets.
	is := func(sum []byte, text string) bool {
		text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
		return base64.RawURLEncoding.EncodeToString(sum) == text
	}
	if long != "" {
		sum := sha256.Sum256(c.Raw)
		return is(sum[:], long)
	}
	sum := sha1.Sum(c.Raw) //nolint:gosec // as above
	return is(sum[:], short)
}

func decodePart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, into) == nil
}

// issue makes an access token. Those for Graph tell the application permissions.
func (s *Simulator) issue(audience string) string {
	now := s.clock()
	c := claims{
		Audience: audience, Issuer: "https://sts.windows.net/" + s.estate.TenantID + "/", Tenant: s.estate.TenantID, Object: s.estate.Auditor.ObjectID,
		Client: s.estate.Auditor.ClientID, IssuedAt: now.Unix(), Expires: now.Add(tokenLifetime).Unix(), ID: fmt.Sprint("t", s.tokens.Add(1)),
	}
	if isGraph(audience) {
		for _, role := range granted() {
			if !s.faults.denied(role, "") {
				c.Roles = append(c.Roles, role)
			}
		}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.sign(text))
}

func (s *Simulator) sign(text string) []byte {
	mac := hmac.New(sha256.New, []byte(s.estate.Auditor.Secret+"/tokens"))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// isGraph reports whether an audience is Graph, of any national cloud.
func isGraph(audience string) bool {
	return strings.Contains(audience, "graph.microsoft") || strings.Contains(audience, "microsoftgraph")
}

// bearer reads the access token of a request.
func (s *Simulator) bearer(r *http.Request) (claims, bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(text, ".")
	if !ok || len(parts) != 3 {
		return claims{}, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	var c claims
	if err != nil || !hmac.Equal(signature, s.sign(parts[0]+"."+parts[1])) || !decodePart(parts[1], &c) {
		return claims{}, false
	}
	return c, s.clock().Unix() < c.Expires
}

func (s *Simulator) refuseSignIn(w http.ResponseWriter, status int, code string, number int, text string) {
	writeJSON(w, status, map[string]any{
		"error": code, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: 0 Correlation ID: 0 Timestamp: %s", number, text, s.clock().UTC().Format("2006-01-02 15:04:05Z")),
		"error_codes": []int{number}, "timestamp": s.clock().UTC().Format("2006-01-02 15:04:05Z"), "trace_id": "0", "correlation_id": "0",
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number),
	})
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

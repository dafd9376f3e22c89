package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authorization is a parsed Authorization header (IAM User Guide, "AWS
// Signature Version 4 for API requests").
type authorization struct {
	keyID         string
	date          string // yyyymmdd
	region        string
	service       string
	signedHeaders []string
	signature     string
}

const signingAlgorithm = "AWS4-HMAC-SHA256"

func parseAuthorization(header string) (authorization, bool) {
	rest, ok := strings.CutPrefix(header, signingAlgorithm)
	if !ok {
		return authorization{}, false
	}
	fields := map[string]string{}
	for _, field := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" || fields["Signature"] == "" || fields["SignedHeaders"] == "" {
		return authorization{}, false
	}
	return authorization{
		keyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		signedHeaders: strings.Split(fields["SignedHeaders"], ";"), signature: fields["Signature"],
	}, true
}

// timestampLayout is that of X-Amz-Date.
const timestampLayout = "20060102T150405Z"

// signedAt is when a request was signed.
func (a authorization) signedAt(r *http.Request) (time.Time, bool) {
	at, err := time.Parse(timestampLayout, r.Header.Get("X-Amz-Date"))
	return at, err == nil && at.Format("20060102") == a.date
}

// verify recomputes the signature of a request and compares.
func (a authorization) verify(r *http.Request, body []byte, secret string) bool {
	hash := sha256.Sum256(body)
	payload := hex.EncodeToString(hash[:])
	if declared := r.Header.Get("X-Amz-Content-Sha256"); declared == "UNSIGNED-PAYLOAD" {
		payload = declared
	} else if declared != "" && declared != payload {
		return false
	}
	if !slices.Contains(a.signedHeaders, "host") {
		return false
	}
	canonical := strings.Join([]string{
		r.Method, a.canonicalPath(r.URL), canonicalQuery(r.URL), a.canonicalHeaders(r), strings.Join(a.signedHeaders, ";"), payload,
	}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{signingAlgorithm, r.Header.Get("X-Amz-Date"), scope, hex.EncodeToString(digest[:])}, "\n")

	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request"} {
		key = keyedHash(key, part)
	}
	return hmac.Equal([]byte(hex.EncodeToString(keyedHash(key, toSign))), []byte(a.signature))
}

func keyedHash(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

// canonicalPath encodes the path as sent once more, except for S3, which
// encodes only once.
func (a authorization) canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if a.service == "s3" {
		path = u.Path
	}
	if path == "" {
		return "/"
	}
	return encodeURI(path, true)
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, encodeURI(name, false)+"="+encodeURI(value, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func (a authorization) canonicalHeaders(r *http.Request) string {
	var b strings.Builder
	for _, name := range a.signedHeaders {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			// net/http takes it out of the headers.
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return b.String()
}

// encodeURI percent-encodes everything but the unreserved characters of
// RFC 3986, and the slash if asked to keep it.
func encodeURI(s string, keepSlash bool) string {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

package idempotency

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Lifetime is how long a key is remembered.
const Lifetime = 24 * time.Hour

// Bounds of a key, in bytes. The least keeps out keys that could be guessed,
// since a request's content is hashed under its key.
const (
	MinKey = 16
	MaxKey = 255
)

// Header carries the key of a request over HTTP.
const Header = "Idempotency-Key"

// Request is a request that makes something and may be sent again.
type Request struct {
	// Member sent it; another member's key is another key.
	Member id.Member
	// Operation is what it asks for, such as "create-connection".
	Operation string
	// Key is the hash of the caller's key.
	Key [sha256.Size]byte
	// Content is the hash of what was asked for, under the key.
	Content [sha256.Size]byte
}

// NewRequest describes a request with a key. Content is what it asks for; its
// JSON decides whether two requests are the same, whatever the order of members.
// A key that is too short or long, or no visible ASCII, is Invalid.
func NewRequest(member id.Member, operation, key string, content any) (*Request, error) {
	if len(key) < MinKey || len(key) > MaxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fault.InvalidField("header."+Header, "must be %d to %d visible ASCII characters, best a random UUID", MinKey, MaxKey)
	}
	canonical, err := canonicalJSON(content)
	if err != nil {
		return nil, err
	}
	defer clear(canonical)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(operation))
	mac.Write([]byte{0})
	mac.Write(canonical)
	r := &Request{Member: member, Operation: operation, Key: sha256.Sum256([]byte("gatehouse idempotency key\x00" + key))}
	mac.Sum(r.Content[:0])
	return r, nil
}

// Reused is the error of a key that came with another request before.
func Reused() error {
	return fault.InvalidField("header."+Header, "was used for another request within the last 24 hours; send a new key with a new request")
}

// canonicalJSON writes members in order of name and numbers as they came.
func canonicalJSON(content any) ([]byte, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	defer clear(raw)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	canonical, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return canonical, nil
}

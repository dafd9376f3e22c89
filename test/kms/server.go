package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// KeyARN is a key that the service has.
const KeyARN = "arn:aws:kms:eu-west-1:111122223333:key/0b5c1b0c-2c1e-4d0e-9b7e-0a6f2f6a1c11"

// OtherKeyARN is another one.
const OtherKeyARN = "arn:aws:kms:eu-west-1:111122223333:key/6f0e3a77-52f4-4b6e-8d55-3f7e0b8d9a02"

// Server is a key service that listens until it is closed.
type Server struct {
	// URL is its address.
	URL string

	http    *httptest.Server
	ciphers map[string]cipher.AEAD

	mu       sync.Mutex
	encrypts int
	decrypts int
	refusal  string
	status   int
	wait     time.Duration
}

// Start starts a service.
func Start() (*Server, error) {
	s := &Server{ciphers: map[string]cipher.AEAD{}}
	for _, arn := range []string{KeyARN, OtherKeyARN} {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		if s.ciphers[arn], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s, nil
}

// Close ends the service.
func (s *Server) Close() { s.http.Close() }

// Calls returns how often each operation was called since the last Reset.
func (s *Server) Calls() (encrypts, decrypts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.encrypts, s.decrypts
}

// Reset forgets calls.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encrypts, s.decrypts = 0, 0
}

// Refuse makes every call fail with a code and status, until it is called with
// an empty code.
func (s *Server) Refuse(code string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal, s.status = code, status
}

// Wait makes every call take that long.
func (s *Server) Wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait = d
}

type message struct {
	KeyID          string            `json:"KeyId"`
	Plaintext      []byte            `json:"Plaintext,omitempty"`
	CiphertextBlob []byte            `json:"CiphertextBlob,omitempty"`
	Context        map[string]string `json:"EncryptionContext,omitempty"`
	Algorithm      string            `json:"EncryptionAlgorithm,omitempty"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	s.mu.Lock()
	switch operation {
	case "Encrypt":
		s.encrypts++
	case "Decrypt":
		s.decrypts++
	}
	refusal, status, wait := s.refusal, s.status, s.wait
	s.mu.Unlock()
	if wait > 0 {
		pause := time.NewTimer(wait)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-r.Context().Done():
			return
		}
	}
	if refusal != "" {
		fail(w, status, refusal)
		return
	}
	var in message
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, "SerializationException")
		return
	}
	sealing, known := s.ciphers[in.KeyID]
	if !known {
		fail(w, http.StatusBadRequest, "NotFoundException")
		return
	}
	out := message{KeyID: in.KeyID, Algorithm: "SYMMETRIC_DEFAULT"}
	bound := contextBytes(in.Context)
	switch operation {
	case "Encrypt":
		nonce := make([]byte, sealing.NonceSize())
		_, _ = rand.Read(nonce)
		out.CiphertextBlob = sealing.Seal(nonce, nonce, in.Plaintext, bound)
	case "Decrypt":
		opened, ok := open(sealing, in.CiphertextBlob, bound)
		if !ok {
			fail(w, http.StatusBadRequest, "InvalidCiphertextException")
			return
		}
		out.Plaintext = opened
	default:
		fail(w, http.StatusBadRequest, "UnknownOperationException")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func open(sealing cipher.AEAD, blob, bound []byte) ([]byte, bool) {
	if len(blob) < sealing.NonceSize() {
		return nil, false
	}
	opened, err := sealing.Open(nil, blob[:sealing.NonceSize()], blob[sealing.NonceSize():], bound)
	return opened, err == nil
}

// contextBytes is one form of an encryption context; encoding/json sorts names.
func contextBytes(context map[string]string) []byte {
	raw, err := json.Marshal(context)
	if err != nil {
		return nil
	}
	return raw
}

// fail answers as KMS does: the code as a type, and words that a caller must not
// pass on.
func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "canary: the service's own words"})
}

package worker

import (
	"slices"
	"sync"
)

// learned are secrets that a run is given while it works. It is safe for concurrent
// use; a nil one knows none.
type learned struct {
	mu      sync.RWMutex
	secrets []string
	redact  redactor
}

// add keeps a secret out of what is logged and reported from here on.
func (l *learned) add(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(secret) < minSecretBytes || slices.Contains(l.secrets, secret) {
		return
	}
	l.secrets = append(l.secrets, secret)
	l.redact = redactorOf(slices.Clone(l.secrets))
}

func (l *learned) text(s string) string {
	if l == nil {
		return s
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.redact.text(s)
}

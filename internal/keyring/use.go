package keyring

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Use registers the key that a process is going to write credentials under.
// Every key registered before must be among those that the process can open;
// otherwise the error is a Conflict that names those that are not, and nothing
// is registered: the process must not start, because it could not open
// credentials that others wrote.
func Use(ctx context.Context, s Store, current Key, checkValue []byte, opens func(Key) bool, by audit.Actor) error {
	fit := func(before []Registered) error {
		var missing []Key
		for _, known := range before {
			if !opens(known.Key) {
				missing = append(missing, known.Key)
			}
		}
		return missingKeys(missing)
	}
	return s.Register(ctx, current, checkValue, fit, audit.Event{
		Actor: by, Action: audit.EncryptionKeyRegistered, Outcome: audit.Succeeded, TargetType: "encryption_key", TargetID: current.ID,
		Payload: map[string]any{"wrapper": current.Wrapper},
	})
}

func missingKeys(missing []Key) error {
	if len(missing) == 0 {
		return nil
	}
	names := make([]string, len(missing))
	for i, key := range missing {
		names[i] = "the " + key.String()
	}
	slices.Sort(names)
	return fault.New(fault.Conflict, "credentials of this database may be under %s, which this process was not given: "+
		"name it with --open-key, or, once gatehouse keys list shows no credential under it, retire it with gatehouse keys retire", strings.Join(names, " and "))
}

// Standing is a key and how it stands.
type Standing struct {
	Registered
	// Credentials is how many are under it.
	Credentials int64
	// Current says that new credentials are written under it, Opened that this
	// process can open what is under it.
	Current, Opened bool
}

// State is what may be done with a key.
type State string

// The states.
const (
	// Current: new credentials are written under it.
	Current State = "current"
	// Open: credentials are under it, and this process can open them.
	Open State = "open"
	// Missing: credentials are under it, and this process was not given it.
	Missing State = "missing"
	// Retirable: no credential is under it.
	Retirable State = "retirable"
)

// State returns what may be done with the key.
func (s Standing) State() State {
	switch {
	case s.Current:
		return Current
	case s.Credentials == 0:
		return Retirable
	case s.Opened:
		return Open
	}
	return Missing
}

// List returns the registered keys, the oldest first. The current key is listed
// also when no process has used it yet; then its Since is zero.
func List(ctx context.Context, s Store, current Key, opens func(Key) bool) ([]Standing, error) {
	registered, err := s.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	counts, err := s.Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("count credentials: %w", err)
	}
	if current != (Key{}) && !slices.ContainsFunc(registered, func(r Registered) bool { return r.Key == current }) {
		registered = append(registered, Registered{Key: current})
	}
	standings := make([]Standing, len(registered))
	for i, r := range registered {
		standings[i] = Standing{Registered: r, Credentials: counts[r.Key], Current: r.Key == current, Opened: opens(r.Key)}
	}
	return standings, nil
}

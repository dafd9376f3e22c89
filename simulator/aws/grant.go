package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// grants are the policies that were given instead of the estate's, by the name of
// the user or role.
type grants struct {
	mu     sync.Mutex
	byName map[string]policy.Document
}

// Grant makes a policy, given as IAM's JSON, the only one of the user of this name
// and of the roles of this name in all accounts, as an administrator would who puts
// it in the place of all others. What bounds them and who is trusted stays. What is
// shown of the estate does not change: it is for trying permissions.
func (s *Simulator) Grant(name, document string) error {
	var parsed policy.Document
	if err := json.Unmarshal([]byte(document), &parsed); err != nil {
		return fmt.Errorf("read the policy for %s: %w", name, err)
	}
	if len(parsed.Statement) == 0 {
		return errors.New("the policy has no statement")
	}
	s.grants.mu.Lock()
	defer s.grants.mu.Unlock()
	if s.grants.byName == nil {
		s.grants.byName = map[string]policy.Document{}
	}
	s.grants.byName[name] = parsed
	return nil
}

// of returns the policy that was given to somebody, if one was.
func (g *grants) of(name string) (policy.Document, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	given, ok := g.byName[name]
	return given, ok
}

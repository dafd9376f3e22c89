package budget

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// KeptFor is how long a budget stays that nobody asks for: longer than the longest
// period of a limit, 31 days, so that it would be full.
const KeptFor = 90 * 24 * time.Hour

// Key names one budget of a tenant: what the provider counts together.
type Key struct {
	Integration integration.ID
	Scope       string
	// Parts are the values of the scope's key, in its order.
	Parts []string
}

// ID is how the database knows a budget. Workspaces share budgets without sharing
// what they are called.
type ID [sha256.Size]byte

// ID returns the key's. Each part goes in with its length, so that no two keys
// run together.
func (k Key) ID() ID {
	h := sha256.New()
	for _, part := range append([]string{"gatehouse throttle budget", string(k.Integration), k.Scope}, k.Parts...) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return ID(h.Sum(nil))
}

package workspace

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// SessionPrefix starts every session's token.
const SessionPrefix = "gs_"

// SessionHash is the SHA-256 of a session's token, the only form in which it is
// stored.
type SessionHash [sha256.Size]byte

// newSession makes the token of a session, and the hash to store.
func newSession() (secret.Secret, SessionHash) {
	text := SessionPrefix + randomText()
	return secret.FromString(text), sha256.Sum256([]byte(text))
}

// ParseSession returns the hash of a session's token. An Unauthenticated error
// means that the text cannot be one.
func ParseSession(text string) (SessionHash, error) {
	random, ok := strings.CutPrefix(text, SessionPrefix)
	if !ok || len(random) != tokenEncoding().EncodedLen(tokenSecretBytes) {
		return SessionHash{}, fault.New(fault.Unauthenticated, "the session is not valid; sign in again")
	}
	return sha256.Sum256([]byte(text)), nil
}

// SessionLimits says how long sessions live.
type SessionLimits struct {
	// Idle ends a session that is not used for so long.
	Idle time.Duration
	// Lifetime ends every session, so that the identity provider is asked again.
	Lifetime time.Duration
}

// Bounds of [SessionLimits]. The use of a session is noted once a minute, so a
// shorter Idle would end one that is in use.
const (
	minIdle     = 5 * time.Minute
	maxLifetime = 30 * 24 * time.Hour
)

// Validate reports limits that would end sessions in use, or never.
func (l SessionLimits) Validate() error {
	if l.Idle < minIdle || l.Lifetime < l.Idle || l.Lifetime > maxLifetime {
		return fault.New(fault.Invalid, "sessions have to end when idle for %s or more, and have a lifetime from there to %s", minIdle, maxLifetime)
	}
	return nil
}

// PersonProfile is who a person is, as the identity provider has it.
type PersonProfile struct {
	ID    id.Person
	Name  string
	Email string
}

// SessionInfo is what may be shown of a session, and NewSessionRow what is
// stored of it.
type SessionInfo struct {
	ID        id.Session
	Person    PersonProfile
	CreatedAt time.Time
	// ExpiresAt is the end of its lifetime; it ends earlier when it is idle.
	ExpiresAt time.Time
	IdleFor   time.Duration
}

// NewSessionRow is a session about to be stored.
type NewSessionRow struct {
	Hash   SessionHash
	Limits SessionLimits
}

// Membership is a person's place in one workspace.
type Membership struct {
	Workspace Workspace
	Member    id.Member
	Role      Role
}

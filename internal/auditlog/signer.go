package auditlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Signer signs the checkpoints of a tenant's logs with Ed25519.
type Signer struct {
	signer   note.Signer
	verifier note.Verifier
	public   string
}

// KeyName is what a tenant's signatures are named by.
func KeyName(tenant id.Tenant) string { return "gatehouse/" + tenant.String() }

// NewSigner makes a signer from a seed of [ed25519.SeedSize] bytes.
func NewSigner(tenant id.Tenant, seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the signing key has %d bytes instead of %d", len(seed), ed25519.SeedSize)
	}
	pair := ed25519.NewKeyFromSeed(seed)
	public, err := note.NewEd25519VerifierKey(KeyName(tenant), pair.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("name the signing key: %w", err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, fmt.Errorf("read the public key back: %w", err)
	}
	// The form in which package note takes a private key.
	private := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", verifier.Name(), verifier.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{algorithmEd25519}, seed...)))
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, fmt.Errorf("take the signing key: %w", err)
	}
	return &Signer{signer: signer, verifier: verifier, public: public}, nil
}

// algorithmEd25519 is package note's number for Ed25519.
const algorithmEd25519 = 1

// PublicKey returns the key to check signatures with, in the form of
// golang.org/x/mod/sumdb/note: name, hash and key, joined by plus signs.
func (s *Signer) PublicKey() string { return s.public }

// Verifier checks this signer's signatures.
func (s *Signer) Verifier() note.Verifier { return s.verifier }

// Sign returns a checkpoint as a signed note.
func (s *Signer) Sign(c Checkpoint) (string, error) { return c.sign(s.signer) }

package graph

import (
	"encoding/hex"
	"fmt"
)

// IdentityID names an identity: the principals of a workspace that are one
// person or workload. A principal that is nobody else's has the identity of its
// own number; see internal/identity for which number several together have.
type IdentityID [16]byte

// identityPrefix starts the public form of an identity's id.
const identityPrefix = "identity_"

// OwnIdentity is the identity of a principal that is joined with no other.
func (e EntityID) OwnIdentity() IdentityID { return IdentityID(e) }

// String returns the public form: the prefix and 32 hexadecimal digits.
func (i IdentityID) String() string { return identityPrefix + hex.EncodeToString(i[:]) }

// MarshalText writes the public form.
func (i IdentityID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the public form.
func (i *IdentityID) UnmarshalText(text []byte) error {
	const want = len(identityPrefix) + 2*len(IdentityID{})
	if len(text) == want && string(text[:len(identityPrefix)]) == identityPrefix {
		if _, err := hex.Decode(i[:], text[len(identityPrefix):]); err == nil {
			return nil
		}
	}
	return fmt.Errorf("not a valid id: want %s followed by %d hexadecimal digits", identityPrefix, 2*len(IdentityID{}))
}

// Identity is how answers name an identity.
type Identity struct {
	ID IdentityID
	// Name is that of its principal with the least id.
	Name string
	// Principals is how many belong to it.
	Principals int
}

// Fellow is a principal and the identity that it has with others.
type Fellow struct {
	Principal EntityID
	Identity  IdentityID
}

// Described names identities: those of principals that are one with others. A
// principal that is missing is by itself.
type Described map[EntityID]Identity

// Of is the identity of a principal, which may be its own alone.
func (d Described) Of(p Entity) Identity {
	if i, joined := d[p.ID]; joined {
		return i
	}
	return Identity{ID: p.ID.OwnIdentity(), Name: p.Name, Principals: 1}
}

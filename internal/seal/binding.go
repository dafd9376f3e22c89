package seal

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// Binding names the one row and the one use that a credential is sealed for.
// It is authenticated, not stored: who opens gives it again from the row that
// the record was found in. Every field takes part.
type Binding struct {
	// Purpose is what the plaintext is, for example "connection.credential".
	// 1 to 255 bytes.
	Purpose string
	// Tenant, Workspace and Connection are the owner's row ids, 1 and above.
	Tenant     int64
	Workspace  int64
	Connection int64
	// Version counts the writes of this credential, from 1. It makes an older
	// record of the same connection unusable after the next write.
	Version int64
}

const maxPurposeBytes = 255

func (b Binding) validate() error {
	if b.Purpose == "" || len(b.Purpose) > maxPurposeBytes {
		return fmt.Errorf("%w: purpose has %d bytes, want 1 to %d", ErrBinding, len(b.Purpose), maxPurposeBytes)
	}
	for _, field := range []struct {
		name  string
		value int64
	}{
		{"tenant", b.Tenant}, {"workspace", b.Workspace}, {"connection", b.Connection}, {"version", b.Version},
	} {
		if field.value < 1 {
			return fmt.Errorf("%w: %s is %d, want 1 or more", ErrBinding, field.name, field.value)
		}
	}
	return nil
}

// associatedData gives the bytes that the ciphertext of a record is bound to.
// The key-encryption key is not among them, so that a data key can be
// wrapped anew without touching the ciphertext.
func (b Binding) associatedData(algorithm string, schemaVersion string) []byte {
	data := b.encode("gatehouse credential")
	data = appendText(data, algorithm)
	return appendText(data, schemaVersion)
}

// WrapData gives the bytes that a wrapped data key is bound to, where the
// wrapper's cipher authenticates data beside what it encrypts. They hold ids
// and no secret.
func (b Binding) WrapData() []byte { return b.encode("gatehouse data key") }

// WrapContext is WrapData for key services that take names and values. The
// values are opaque ids: such services log them.
func (b Binding) WrapContext() map[string]string {
	return map[string]string{
		"gatehouse:purpose":    b.Purpose,
		"gatehouse:tenant":     strconv.FormatInt(b.Tenant, 10),
		"gatehouse:workspace":  strconv.FormatInt(b.Workspace, 10),
		"gatehouse:connection": strconv.FormatInt(b.Connection, 10),
		"gatehouse:version":    strconv.FormatInt(b.Version, 10),
	}
}

// encode gives an unambiguous form of the binding: each field behind its
// length, so that no two bindings share one. The label keeps apart what is
// authenticated for different ends.
func (b Binding) encode(label string) []byte {
	data := appendText(nil, label)
	data = appendText(data, b.Purpose)
	data = appendInt(data, b.Tenant)
	data = appendInt(data, b.Workspace)
	data = appendInt(data, b.Connection)
	return appendInt(data, b.Version)
}

func appendText(data []byte, text string) []byte {
	data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
	return append(data, text...)
}

func appendInt(data []byte, n int64) []byte {
	data = binary.BigEndian.AppendUint32(data, 8)
	return binary.BigEndian.AppendUint64(data, uint64(n))
}

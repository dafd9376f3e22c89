package seal

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// BoundKeyBytes is the length of what [BindKey] makes.
const BoundKeyBytes = DataKeyBytes + sha256.Size

// BindKey returns the data key with a digest of the binding behind it, for
// ciphers that take no data to authenticate beside what they encrypt. The
// digest is over ids, which are no secret. The caller clears the result.
func BindKey(dataKey []byte, binding Binding) ([]byte, error) {
	if len(dataKey) != DataKeyBytes {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), DataKeyBytes)
	}
	digest := sha256.Sum256(binding.WrapData())
	bound := make([]byte, 0, BoundKeyBytes)
	return append(append(bound, dataKey...), digest[:]...), nil
}

// UnbindKey returns the data key of what [BindKey] made for the same binding,
// and clears bound. The error is ErrDamaged.
func UnbindKey(bound []byte, binding Binding) ([]byte, error) {
	defer clear(bound)
	if len(bound) != BoundKeyBytes {
		return nil, fmt.Errorf("%w: unwrapped key has %d bytes, want %d", ErrDamaged, len(bound), BoundKeyBytes)
	}
	digest := sha256.Sum256(binding.WrapData())
	if subtle.ConstantTimeCompare(bound[DataKeyBytes:], digest[:]) != 1 {
		return nil, fmt.Errorf("%w: wrapped key altered or moved from another row", ErrDamaged)
	}
	return append([]byte(nil), bound[:DataKeyBytes]...), nil
}

package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
)

// Sealing is what one credential costs.
type Sealing struct {
	// Both is the median of sealing and opening under a local key, Cipher that
	// of encrypting and decrypting as many bytes by AES-256-GCM under a key that
	// is there already.
	Both, Cipher time.Duration
}

// secretBytes is the length of a credential with a few fields.
const secretBytes = 512

func binding(n int64) seal.Binding {
	return seal.Binding{Purpose: "connection.credential", Tenant: 1, Workspace: 1, Connection: n, Version: 1}
}

// MeasureSealing seals and opens rounds times.
func MeasureSealing(ctx context.Context, wrapper seal.KeyWrapper, rounds int) (Sealing, error) {
	opener, err := seal.NewOpener(wrapper)
	if err != nil {
		return Sealing{}, err
	}
	sealer := seal.NewSealer(wrapper)
	plaintext := make([]byte, secretBytes)
	key := make([]byte, seal.DataKeyBytes)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return Sealing{}, fmt.Errorf("make a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return Sealing{}, fmt.Errorf("make a cipher: %w", err)
	}
	both, bare := make([]time.Duration, rounds), make([]time.Duration, rounds)
	for i := range rounds {
		began := time.Now()
		sealed, err := sealer.Seal(ctx, binding(1), "1", plaintext)
		if err != nil {
			return Sealing{}, err
		}
		if _, err := opener.Open(ctx, binding(1), sealed); err != nil {
			return Sealing{}, err
		}
		both[i] = time.Since(began)

		began = time.Now()
		nonce := make([]byte, aead.NonceSize())
		_, _ = rand.Read(nonce)
		if _, err := aead.Open(nil, nonce, aead.Seal(nil, nonce, plaintext, nil), nil); err != nil {
			return Sealing{}, fmt.Errorf("decrypt: %w", err)
		}
		bare[i] = time.Since(began)
	}
	return Sealing{Both: figure.Median(both), Cipher: figure.Median(bare)}, nil
}

package azurekeyvault

import (
	"context"
	"fmt"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// Name is the name of the wrapper.
const Name = "azurekeyvault"

// An RSA ciphertext is as long as the modulus: 2048, 3072 or 4096 bits.
const (
	minWrappedBytes = 2048 / 8
	maxWrappedBytes = 4096 / 8
)

// Config says which key to use.
type Config struct {
	// KeyURL is the identifier of one version of an RSA key, such as
	// https://NAME.vault.azure.net/keys/KEY/VERSION.
	KeyURL string
	// ClientID chooses one of several managed identities; empty for the only
	// one, or for other ways of signing in.
	ClientID string
}

var keyURL = regexp.MustCompile(`^(https://[A-Za-z0-9.:-]+)/keys/([A-Za-z0-9-]{1,127})/([A-Za-z0-9]{1,64})$`)

// Wrapper is a version of a key.
type Wrapper struct {
	client             *azkeys.Client
	url, name, version string
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// New returns the wrapper of a key, signing in as Azure's default chain does:
// environment, workload identity, managed identity. It calls nothing.
func New(c Config) (*Wrapper, error) {
	var credential azcore.TokenCredential
	var err error
	if c.ClientID != "" {
		credential, err = azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(c.ClientID)})
	} else {
		credential, err = azidentity.NewDefaultAzureCredential(nil)
	}
	if err != nil {
		return nil, &seal.ServiceError{
			Key: seal.Key{Wrapper: Name, ID: c.KeyURL}, Problem: seal.Misconfigured, Advice: "check the Azure settings in the environment of this process", Cause: err,
		}
	}
	return newWith(c, credential, nil)
}

func newWith(c Config, credential azcore.TokenCredential, options *azkeys.ClientOptions) (*Wrapper, error) {
	parts := keyURL.FindStringSubmatch(c.KeyURL)
	if parts == nil {
		return nil, fmt.Errorf("%q is not the identifier of a version of a key; it looks like https://NAME.vault.azure.net/keys/KEY/VERSION", c.KeyURL)
	}
	client, err := azkeys.NewClient(parts[1], credential, options)
	if err != nil {
		return nil, fmt.Errorf("make a client of Key Vault: %w", err)
	}
	return &Wrapper{client: client, url: c.KeyURL, name: parts[2], version: parts[3]}, nil
}

func parameters(value []byte) azkeys.KeyOperationParameters {
	algorithm := azkeys.EncryptionAlgorithmRSAOAEP256
	return azkeys.KeyOperationParameters{Algorithm: &algorithm, Value: value}
}

// Wrap has the vault encrypt the data key and a digest of the binding.
func (w *Wrapper) Wrap(ctx context.Context, dataKey []byte, binding seal.Binding) ([]byte, error) {
	bound, err := seal.BindKey(dataKey, binding)
	if err != nil {
		return nil, err
	}
	defer clear(bound)
	answer, err := w.client.WrapKey(ctx, w.name, w.version, parameters(bound), nil)
	if err != nil {
		return nil, w.explain(err, "wrapKey")
	}
	return answer.Result, nil
}

// Unwrap has the vault decrypt what Wrap returned.
func (w *Wrapper) Unwrap(ctx context.Context, wrapped []byte, keyID string, binding seal.Binding) ([]byte, error) {
	if keyID != w.url {
		return nil, fmt.Errorf("%w: the record needs another Azure key than %s", seal.ErrKeyMismatch, w.url)
	}
	if len(wrapped) < minWrappedBytes || len(wrapped) > maxWrappedBytes {
		return nil, fmt.Errorf("%w: wrapped key has %d bytes, want %d to %d", seal.ErrDamaged, len(wrapped), minWrappedBytes, maxWrappedBytes)
	}
	answer, err := w.client.UnwrapKey(ctx, w.name, w.version, parameters(wrapped), nil)
	if err != nil {
		return nil, w.explain(err, "unwrapKey")
	}
	return seal.UnbindKey(answer.Result, binding)
}

// KeyID returns the identifier of the key's version.
func (w *Wrapper) KeyID() string { return w.url }

// Name returns Name.
func (*Wrapper) Name() string { return Name }

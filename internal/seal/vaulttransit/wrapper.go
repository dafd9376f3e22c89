package vaulttransit

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// Name is the name of the wrapper.
const Name = "vault"

// callTime bounds one attempt of a call; the client makes up to three.
const callTime = 10 * time.Second

// Config says which key to use, and where. What is left empty comes from the
// environment variables that Vault's own programs read: VAULT_ADDR,
// VAULT_TOKEN, VAULT_NAMESPACE, VAULT_CACERT and others.
type Config struct {
	// Key is where the engine is mounted and the name of the key, such as
	// "transit/gatehouse".
	Key string
	// Address is Vault's URL.
	Address string
	// Namespace is that of the engine.
	Namespace string
	// TokenFile holds the token, and is read at every call, so that whoever
	// renews it needs to tell nobody.
	TokenFile string
	// CAFile holds the certificates to trust, PEM.
	CAFile string
}

var keyPath = regexp.MustCompile(`^([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)/([A-Za-z0-9_.-]+)$`)

// Wrapper is a key of a transit engine.
type Wrapper struct {
	client           *api.Client
	mount, key, name string
	tokenFile        string
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// New returns the wrapper of a key. It does not call Vault.
func New(c Config) (*Wrapper, error) {
	parts := keyPath.FindStringSubmatch(c.Key)
	if parts == nil || strings.Contains(c.Key, "..") {
		return nil, fmt.Errorf("%q does not name a transit key; write where the engine is mounted and the key's name, such as transit/gatehouse", c.Key)
	}
	settings := api.DefaultConfig()
	if settings.Error != nil {
		return nil, fmt.Errorf("read Vault's environment variables: %w", settings.Error)
	}
	settings.Timeout = callTime
	if c.Address != "" {
		settings.Address = c.Address
	}
	if c.CAFile != "" {
		if err := settings.ConfigureTLS(&api.TLSConfig{CACert: c.CAFile}); err != nil {
			return nil, fmt.Errorf("read Vault's CA certificates: %w", err)
		}
	}
	client, err := api.NewClient(settings)
	if err != nil {
		return nil, fmt.Errorf("make a client of Vault: %w", err)
	}
	if c.Namespace != "" {
		client.SetNamespace(c.Namespace)
	}
	name := c.Key
	if namespace := strings.Trim(client.Namespace(), "/"); namespace != "" {
		name = namespace + "/" + c.Key
	}
	return &Wrapper{client: client, mount: parts[1], key: parts[2], name: name, tokenFile: c.TokenFile}, nil
}

// Wrap has Vault encrypt the data key, bound to the binding.
func (w *Wrapper) Wrap(ctx context.Context, dataKey []byte, binding seal.Binding) ([]byte, error) {
	if len(dataKey) != seal.DataKeyBytes {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), seal.DataKeyBytes)
	}
	answer, err := w.call(ctx, "encrypt", map[string]any{
		"plaintext":       base64.StdEncoding.EncodeToString(dataKey),
		"associated_data": base64.StdEncoding.EncodeToString(binding.WrapData()),
	})
	if err != nil {
		return nil, err
	}
	text, _ := answer["ciphertext"].(string)
	if !strings.HasPrefix(text, ciphertextPrefix) {
		return nil, w.failed(seal.Failed, "it answered without a ciphertext; check its address", nil)
	}
	return []byte(text), nil
}

// What Vault documents of a ciphertext: "vault:v1:" and Base64.
const (
	ciphertextPrefix   = "vault:v"
	maxCiphertextBytes = 1024
)

var ciphertext = regexp.MustCompile(`^vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/]{40,}={0,2}$`)

// Unwrap has Vault decrypt what Wrap returned.
func (w *Wrapper) Unwrap(ctx context.Context, wrapped []byte, keyID string, binding seal.Binding) ([]byte, error) {
	if keyID != w.name {
		return nil, fmt.Errorf("%w: the record needs another Vault key than %s", seal.ErrKeyMismatch, w.name)
	}
	if len(wrapped) > maxCiphertextBytes || !ciphertext.Match(wrapped) {
		return nil, fmt.Errorf("%w: wrapped key is not a ciphertext of Vault's", seal.ErrDamaged)
	}
	answer, err := w.call(ctx, "decrypt", map[string]any{
		"ciphertext":      string(wrapped),
		"associated_data": base64.StdEncoding.EncodeToString(binding.WrapData()),
	})
	if err != nil {
		return nil, err
	}
	text, _ := answer["plaintext"].(string)
	dataKey, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(dataKey) != seal.DataKeyBytes {
		clear(dataKey)
		return nil, fmt.Errorf("%w: what Vault unwrapped is not a data key", seal.ErrDamaged)
	}
	return dataKey, nil
}

// KeyID returns mount and name of the key, behind its namespace if it has one.
// The address is not part of it, so that Vault may move.
func (w *Wrapper) KeyID() string { return w.name }

// Name returns Name.
func (*Wrapper) Name() string { return Name }

// call makes one request of the engine, with the token of now.
func (w *Wrapper) call(ctx context.Context, operation string, body map[string]any) (map[string]any, error) {
	client := w.client
	if w.tokenFile != "" {
		token, err := os.ReadFile(w.tokenFile)
		if err != nil {
			return nil, w.failed(seal.Misconfigured, "its token file cannot be read", err)
		}
		if client, err = w.client.CloneWithHeaders(); err != nil {
			return nil, w.failed(seal.Failed, "", err)
		}
		client.SetToken(strings.TrimSpace(string(token)))
	}
	answer, err := client.Logical().WriteWithContext(ctx, w.mount+"/"+operation+"/"+w.key, body)
	if err != nil {
		return nil, w.explain(err, operation)
	}
	if answer == nil || answer.Data == nil {
		return nil, w.failed(seal.Failed, "it answered with nothing; check its address", nil)
	}
	return answer.Data, nil
}

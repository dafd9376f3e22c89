package gcpkms

import (
	"context"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// Name is the name of the wrapper.
const Name = "gcpkms"

const (
	defaultEndpoint = "https://cloudkms.googleapis.com"
	// scope is the least that OAuth offers for Cloud KMS.
	scope    = "https://www.googleapis.com/auth/cloudkms"
	callTime = 15 * time.Second
	// What Cloud KMS documents: a ciphertext of at most 64 KiB; one of a data
	// key has about 120 bytes.
	maxWrappedBytes = 4096
)

// Config says which key to use, and where.
type Config struct {
	// Key is the resource name of a symmetric key, without a version:
	// projects/P/locations/L/keyRings/R/cryptoKeys/K.
	Key string
	// Endpoint is the URL of Cloud KMS where it is not Google's own; empty
	// otherwise.
	Endpoint string
}

var keyName = regexp.MustCompile(`^projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$`)

// Wrapper is a key of Cloud KMS.
type Wrapper struct {
	client *http.Client
	base   string
	key    string
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// New returns the wrapper of a key, with Google's application default
// credentials. It does not call Cloud KMS.
func New(ctx context.Context, c Config) (*Wrapper, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	found, err := google.FindDefaultCredentials(ctx, scope)
	if err != nil {
		return nil, &seal.ServiceError{
			Key: seal.Key{Wrapper: Name, ID: c.Key}, Problem: seal.Misconfigured,
			Advice: "set up application default credentials: a service account of the machine, or GOOGLE_APPLICATION_CREDENTIALS", Cause: err,
		}
	}
	return newWith(c, found.TokenSource, http.DefaultTransport)
}

func newWith(c Config, tokens oauth2.TokenSource, transport http.RoundTripper) (*Wrapper, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	base := c.Endpoint
	if base == "" {
		base = defaultEndpoint
	}
	return &Wrapper{
		client: &http.Client{Timeout: callTime, Transport: &oauth2.Transport{Source: tokens, Base: transport}},
		base:   strings.TrimRight(base, "/") + "/v1/" + c.Key, key: c.Key,
	}, nil
}

func (c Config) validate() error {
	if !keyName.MatchString(c.Key) {
		return fmt.Errorf("%q is not the name of a key of Cloud KMS; it looks like projects/P/locations/L/keyRings/R/cryptoKeys/K, without a version", c.Key)
	}
	if c.Endpoint != "" {
		if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return fmt.Errorf("%q is not the URL of Cloud KMS", c.Endpoint)
		}
	}
	return nil
}

// The messages of projects.locations.keyRings.cryptoKeys.encrypt and decrypt.
// Checksums are 64-bit integers, which Google's JSON writes as strings.
type (
	encryptRequest struct {
		Plaintext       []byte `json:"plaintext"`
		Data            []byte `json:"additionalAuthenticatedData"`
		PlaintextCRC32C string `json:"plaintextCrc32c"`
		DataCRC32C      string `json:"additionalAuthenticatedDataCrc32c"`
	}
	encryptAnswer struct {
		Ciphertext              []byte `json:"ciphertext"`
		CiphertextCRC32C        string `json:"ciphertextCrc32c"`
		VerifiedPlaintextCRC32C bool   `json:"verifiedPlaintextCrc32c"`
		VerifiedDataCRC32C      bool   `json:"verifiedAdditionalAuthenticatedDataCrc32c"`
	}
	decryptRequest struct {
		Ciphertext       []byte `json:"ciphertext"`
		Data             []byte `json:"additionalAuthenticatedData"`
		CiphertextCRC32C string `json:"ciphertextCrc32c"`
		DataCRC32C       string `json:"additionalAuthenticatedDataCrc32c"`
	}
	decryptAnswer struct {
		Plaintext       []byte `json:"plaintext"`
		PlaintextCRC32C string `json:"plaintextCrc32c"`
	}
)

func checksum(value []byte) string {
	return strconv.FormatUint(uint64(crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli))), 10)
}

// Wrap has Cloud KMS encrypt the data key, bound to the binding.
func (w *Wrapper) Wrap(ctx context.Context, dataKey []byte, binding seal.Binding) ([]byte, error) {
	if len(dataKey) != seal.DataKeyBytes {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), seal.DataKeyBytes)
	}
	data := binding.WrapData()
	var answer encryptAnswer
	err := w.call(ctx, "encrypt", encryptRequest{Plaintext: dataKey, Data: data, PlaintextCRC32C: checksum(dataKey), DataCRC32C: checksum(data)}, &answer)
	if err != nil {
		return nil, err
	}
	if len(answer.Ciphertext) == 0 || !answer.VerifiedPlaintextCRC32C || !answer.VerifiedDataCRC32C || answer.CiphertextCRC32C != checksum(answer.Ciphertext) {
		return nil, w.failed(seal.Unreachable, "", "a value was changed on the way; try again", nil)
	}
	return answer.Ciphertext, nil
}

// Unwrap has Cloud KMS decrypt what Wrap returned.
func (w *Wrapper) Unwrap(ctx context.Context, wrapped []byte, keyID string, binding seal.Binding) ([]byte, error) {
	if keyID != w.key {
		return nil, fmt.Errorf("%w: the record needs another key of Cloud KMS than %s", seal.ErrKeyMismatch, w.key)
	}
	if len(wrapped) == 0 || len(wrapped) > maxWrappedBytes {
		return nil, fmt.Errorf("%w: wrapped key has %d bytes, want 1 to %d", seal.ErrDamaged, len(wrapped), maxWrappedBytes)
	}
	data := binding.WrapData()
	var answer decryptAnswer
	err := w.call(ctx, "decrypt", decryptRequest{Ciphertext: wrapped, Data: data, CiphertextCRC32C: checksum(wrapped), DataCRC32C: checksum(data)}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.PlaintextCRC32C != checksum(answer.Plaintext) {
		clear(answer.Plaintext)
		return nil, w.failed(seal.Unreachable, "", "a value was changed on the way; try again", nil)
	}
	if len(answer.Plaintext) != seal.DataKeyBytes {
		clear(answer.Plaintext)
		return nil, fmt.Errorf("%w: what Cloud KMS unwrapped is not a data key", seal.ErrDamaged)
	}
	return answer.Plaintext, nil
}

// KeyID returns the key's resource name.
func (w *Wrapper) KeyID() string { return w.key }

// Name returns Name.
func (*Wrapper) Name() string { return Name }

package awskms

import (
	"context"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// Name is the name of the wrapper.
const Name = "awskms"

// What KMS documents of Encrypt and Decrypt: a ciphertext has 1 to 6144 bytes.
const maxCiphertextBytes = 6144

// Config says which key to use, and where.
type Config struct {
	// KeyARN is the ARN of a symmetric encryption key. Its region is where KMS
	// is called. An alias is refused: it can be pointed at another key, which
	// could not open what was wrapped before.
	KeyARN string
	// Endpoint is the URL of KMS where it is not AWS's own; empty otherwise.
	Endpoint string
	// Profile is the profile of the shared AWS configuration to take
	// credentials from; empty for the SDK's default chain.
	Profile string
}

var keyARN = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+$`)

// Wrapper is a key of KMS.
type Wrapper struct {
	client *kms.Client
	arn    string
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// New returns the wrapper of a key. It does not call KMS; credentials are
// looked for when the first call is made.
func New(ctx context.Context, c Config) (*Wrapper, error) {
	parts := keyARN.FindStringSubmatch(c.KeyARN)
	if parts == nil {
		return nil, fmt.Errorf("%q is not the ARN of a KMS key; it looks like arn:aws:kms:REGION:ACCOUNT:key/ID, and an alias cannot be used", c.KeyARN)
	}
	options := []func(*config.LoadOptions) error{config.WithRegion(parts[1])}
	if c.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(c.Profile))
	}
	settings, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, &seal.ServiceError{Key: seal.Key{Wrapper: Name, ID: c.KeyARN}, Problem: seal.Misconfigured, Advice: "check the AWS configuration of this process", Cause: err}
	}
	return newOn(settings, c), nil
}

func newOn(settings aws.Config, c Config) *Wrapper {
	return &Wrapper{arn: c.KeyARN, client: kms.NewFromConfig(settings, func(o *kms.Options) {
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
	})}
}

// Wrap has KMS encrypt the data key, bound to the binding by the encryption
// context.
func (w *Wrapper) Wrap(ctx context.Context, dataKey []byte, binding seal.Binding) ([]byte, error) {
	if len(dataKey) != seal.DataKeyBytes {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), seal.DataKeyBytes)
	}
	answer, err := w.client.Encrypt(ctx, &kms.EncryptInput{
		KeyId: aws.String(w.arn), Plaintext: dataKey, EncryptionContext: binding.WrapContext(),
	})
	if err != nil {
		return nil, w.explain(err, "kms:Encrypt")
	}
	return answer.CiphertextBlob, nil
}

// Unwrap has KMS decrypt what Wrap returned.
func (w *Wrapper) Unwrap(ctx context.Context, wrapped []byte, keyID string, binding seal.Binding) ([]byte, error) {
	if keyID != w.arn {
		return nil, fmt.Errorf("%w: the record needs another KMS key than %s", seal.ErrKeyMismatch, w.arn)
	}
	if len(wrapped) == 0 || len(wrapped) > maxCiphertextBytes {
		return nil, fmt.Errorf("%w: wrapped key has %d bytes, want 1 to %d", seal.ErrDamaged, len(wrapped), maxCiphertextBytes)
	}
	answer, err := w.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: aws.String(w.arn), CiphertextBlob: wrapped, EncryptionContext: binding.WrapContext(),
	})
	if err != nil {
		return nil, w.explain(err, "kms:Decrypt")
	}
	if len(answer.Plaintext) != seal.DataKeyBytes {
		clear(answer.Plaintext)
		return nil, fmt.Errorf("%w: unwrapped key has %d bytes, want %d", seal.ErrDamaged, len(answer.Plaintext), seal.DataKeyBytes)
	}
	return answer.Plaintext, nil
}

// KeyID returns the key's ARN.
func (w *Wrapper) KeyID() string { return w.arn }

// Name returns Name.
func (*Wrapper) Name() string { return Name }

package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// secretPrefix begins a secret, and signatureVersion a signature, as Standard
// Webhooks has them.
const (
	secretPrefix     = "whsec_"
	signatureVersion = "v1,"
)

// secretBytes is how long a secret of ours is; Standard Webhooks allows 24 to 64.
const secretBytes = 32

// NewSecret makes a secret of 256 random bits.
func NewSecret() secret.Secret {
	key := make([]byte, secretBytes)
	rand.Read(key) // never fails: crypto/rand ends the process instead
	defer clear(key)
	return secret.FromString(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// ErrSecretForm is the error for a text that is no secret.
var ErrSecretForm = errors.New("the secret is not whsec_ and 24 to 64 bytes in base64")

// keyOf returns the bytes that a secret stands for.
func keyOf(s secret.Secret) ([]byte, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(s.RevealString()), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, ErrSecretForm
	}
	return key, nil
}

// CheckSecret returns [ErrSecretForm] for a text that is no secret.
func CheckSecret(s secret.Secret) error {
	key, err := keyOf(s)
	clear(key)
	return err
}

// Sign returns the value of the header webhook-signature: one signature for each
// secret, so that a receiver can go from one to the next.
func Sign(messageID string, at time.Time, body []byte, secrets []secret.Secret) (string, error) {
	var all []string
	for _, s := range secrets {
		signature, err := sign(messageID, strconv.FormatInt(at.Unix(), 10), body, s)
		if err != nil {
			return "", err
		}
		all = append(all, signature)
	}
	return strings.Join(all, " "), nil
}

func sign(messageID, at string, body []byte, s secret.Secret) (string, error) {
	key, err := keyOf(s)
	if err != nil {
		return "", err
	}
	defer clear(key)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", messageID, at)
	mac.Write(body)
	return signatureVersion + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Verify checks one delivery as a receiver does: that a signature among those of
// the header fits, and that it is no older or newer than the tolerance.
func Verify(messageID, timestamp, signatures string, body []byte, s secret.Secret, now time.Time, tolerance time.Duration) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("webhook-timestamp is no number of seconds since 1970")
	}
	want, err := sign(messageID, timestamp, body, s)
	if err != nil {
		return err
	}
	fits := false
	for _, have := range strings.Fields(signatures) {
		fits = fits || hmac.Equal([]byte(have), []byte(want))
	}
	if !fits {
		return errors.New("no signature fits: the secret is another one, or id, time or body were changed on the way")
	}
	if off := now.Sub(time.Unix(seconds, 0)); off.Abs() > tolerance {
		return fmt.Errorf("the signature fits, and is %s away from now: more than %s, as one that is sent again by somebody else", off.Round(time.Second), tolerance)
	}
	return nil
}

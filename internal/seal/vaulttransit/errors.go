package vaulttransit

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

func (w *Wrapper) failed(p seal.Problem, advice string, cause error) error {
	return &seal.ServiceError{Key: seal.KeyOf(w), Problem: p, Advice: advice, Cause: cause}
}

// explain maps an error of Vault by its status, which is all that Vault
// documents, and tells a ciphertext that does not open from other mistakes by
// what the engine says of it.
func (w *Wrapper) explain(err error, operation string) error {
	var response *api.ResponseError
	if !errors.As(err, &response) {
		return w.failed(seal.Unreachable, "check that this process reaches Vault, and trusts its certificate", err)
	}
	said := strings.Join(response.Errors, " ")
	switch {
	case response.StatusCode == http.StatusForbidden:
		return w.failed(seal.Denied, fmt.Sprintf("the token must be valid and its policy allow update on %s/%s/%s", w.mount, operation, w.key), err)
	case response.StatusCode == http.StatusNotFound:
		return w.failed(seal.Missing, "check mount, key name and namespace", err)
	case response.StatusCode == http.StatusTooManyRequests, response.StatusCode >= http.StatusInternalServerError:
		return w.failed(seal.Unreachable, "it is sealed, in standby or busy; try again", err)
	case strings.Contains(said, "encryption key not found"):
		return w.failed(seal.Missing, "check mount, key name and namespace", err)
	case strings.Contains(said, "not supported"), strings.Contains(said, "associated_data"):
		return w.failed(seal.Unusable, "it has to be of type aes256-gcm96, aes128-gcm96 or chacha20-poly1305", err)
	case strings.Contains(said, "version is disallowed"), strings.Contains(said, "minimum"):
		return w.failed(seal.Unusable, "the version that was wrapped with is archived; lower min_decryption_version", err)
	case operation == "decrypt" && response.StatusCode == http.StatusBadRequest:
		return fmt.Errorf("%w: wrapped key altered or moved from another row", seal.ErrDamaged)
	}
	return w.failed(seal.Failed, "", err)
}

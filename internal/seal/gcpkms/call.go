package gcpkms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 256 << 10

// call makes one request and decodes its answer.
func (w *Wrapper) call(ctx context.Context, operation string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	defer clear(body)
	sent, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+":"+operation, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	sent.Header.Set("Content-Type", "application/json")
	response, err := w.client.Do(sent)
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			return w.failed(seal.Misconfigured, "", "Google does not accept the credentials of this process", err)
		}
		return w.failed(seal.Unreachable, "", "check that this process reaches Cloud KMS", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	defer clear(raw)
	if err != nil {
		return w.failed(seal.Unreachable, "", "its answer broke off; try again", err)
	}
	if response.StatusCode != http.StatusOK {
		return w.explain(response.StatusCode, raw, operation)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		// The decoder's error would repeat some of what it read.
		return w.failed(seal.Failed, "", "its answer is not what Cloud KMS sends; check the endpoint", nil)
	}
	return nil
}

func (w *Wrapper) failed(p seal.Problem, code, advice string, cause error) error {
	return &seal.ServiceError{Key: seal.KeyOf(w), Problem: p, Code: code, Advice: advice, Cause: cause}
}

// explain maps an error by its canonical status:
// {"error":{"code":403,"status":"PERMISSION_DENIED",…}}.
func (w *Wrapper) explain(httpStatus int, raw []byte, operation string) error {
	var body struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &body) != nil {
		body.Error.Status = ""
	}
	status := body.Error.Status
	switch {
	case status == "INVALID_ARGUMENT" && operation == "decrypt":
		// The ciphertext was altered, made by another key, or made with other
		// authenticated data; Cloud KMS does not say which.
		return fmt.Errorf("%w: wrapped key altered or moved from another row", seal.ErrDamaged)
	case status == "PERMISSION_DENIED", httpStatus == http.StatusUnauthorized:
		return w.failed(seal.Denied, status, "the service account of this process needs the role Cloud KMS CryptoKey Encrypter/Decrypter on the key", nil)
	case status == "FAILED_PRECONDITION":
		return w.failed(seal.Unusable, status, "its primary version, or the one that was wrapped with, is disabled or destroyed", nil)
	case status == "NOT_FOUND":
		return w.failed(seal.Missing, status, "check project, location, key ring and name", nil)
	case httpStatus == http.StatusTooManyRequests, httpStatus >= http.StatusInternalServerError:
		return w.failed(seal.Unreachable, status, "try again", nil)
	}
	return w.failed(seal.Failed, status, "", nil)
}

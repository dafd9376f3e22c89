package azurekeyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// explain maps an error of the vault by its status and documented code.
func (w *Wrapper) explain(err error, permission string) error {
	failure := &seal.ServiceError{Key: seal.KeyOf(w), Problem: seal.Failed, Cause: err}
	var signIn *azidentity.AuthenticationFailedError
	var response *azcore.ResponseError
	switch {
	case errors.As(err, &signIn):
		failure.Problem, failure.Advice = seal.Misconfigured, "Azure does not accept the identity of this process"
		return failure
	case !errors.As(err, &response):
		failure.Problem, failure.Advice = seal.Unreachable, "check that this process reaches the vault and has an Azure identity"
		return failure
	}
	failure.Code = response.ErrorCode
	switch status := response.StatusCode; {
	case status == http.StatusForbidden && innerCode(response) == "KeyDisabled":
		failure.Problem, failure.Advice = seal.Unusable, "this version of the key is disabled; enable it again"
	case status == http.StatusForbidden && innerCode(response) == "ForbiddenByFirewall":
		failure.Problem, failure.Advice = seal.Denied, "the vault's firewall does not let this process in"
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		failure.Problem, failure.Advice = seal.Denied, "the identity of this process needs "+permission+" on the key, as the role Key Vault Crypto Service Encryption User has it"
	case status == http.StatusNotFound:
		failure.Problem, failure.Advice = seal.Missing, "check vault, name and version of the key; one that was deleted may be recovered"
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		failure.Problem, failure.Advice = seal.Unreachable, "try again"
	case status == http.StatusBadRequest && permission == "unwrapKey":
		// A ciphertext that is no OAEP padding under this key.
		return fmt.Errorf("%w: wrapped key altered", seal.ErrDamaged)
	}
	return failure
}

// innerCode returns the code inside an error, which says why access was refused:
// {"error":{"code":"Forbidden","innererror":{"code":"KeyDisabled"}}}.
func innerCode(response *azcore.ResponseError) string {
	if response.RawResponse == nil {
		return ""
	}
	var body struct {
		Error struct {
			Inner struct {
				Code string `json:"code"`
			} `json:"innererror"`
		} `json:"error"`
	}
	// The SDK has read the body and keeps it.
	raw, err := runtime.Payload(response.RawResponse)
	if err != nil || json.Unmarshal(raw, &body) != nil {
		return ""
	}
	return body.Error.Inner.Code
}

package awskms

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// explain maps an error of KMS by its documented code. permission is the one
// that the call needs.
func (w *Wrapper) explain(err error, permission string) error {
	failure := &seal.ServiceError{Key: seal.KeyOf(w), Problem: seal.Failed, Cause: err}
	var api smithy.APIError
	if !errors.As(err, &api) {
		failure.Problem, failure.Advice = unanswered(err)
		return failure
	}
	failure.Code = api.ErrorCode()
	switch failure.Code {
	case "InvalidCiphertextException", "IncorrectKeyException":
		// The ciphertext was altered, made by another key, or made for another
		// encryption context; KMS does not say which.
		return fmt.Errorf("%w: wrapped key altered or moved from another row", seal.ErrDamaged)
	case "AccessDeniedException":
		failure.Problem, failure.Advice = seal.Denied, "the key's policy and the credentials of this process must allow "+permission
	case "NotFoundException":
		failure.Problem, failure.Advice = seal.Missing, "check account, region and id in the ARN; a key that was deleted cannot be brought back"
	case "DisabledException":
		failure.Problem, failure.Advice = seal.Unusable, "it is disabled; enable it again"
	case "KMSInvalidStateException":
		failure.Problem, failure.Advice = seal.Unusable, "it is pending deletion or import; cancel the deletion, then enable the key"
	case "InvalidKeyUsageException":
		failure.Problem, failure.Advice = seal.Unusable, "it has to be a symmetric key for encryption and decryption"
	case "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "MissingAuthenticationToken":
		failure.Problem, failure.Advice = seal.Denied, "AWS does not accept the credentials of this process"
	case "ThrottlingException", "LimitExceededException", "RequestLimitExceeded", "KeyUnavailableException", "DependencyTimeoutException", "KMSInternalException", "InternalFailure", "ServiceUnavailable":
		failure.Problem, failure.Advice = seal.Unreachable, "try again"
	default:
		var response *awshttp.ResponseError
		if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
			failure.Problem, failure.Advice = seal.Unreachable, "try again"
		}
	}
	return failure
}

// unanswered tells an endpoint that is not reached from credentials that are
// not found.
func unanswered(err error) (p seal.Problem, advice string) {
	var network net.Error
	var response *awshttp.ResponseError
	var sent *smithy.CanceledError
	switch {
	case errors.As(err, &network), errors.As(err, &response), errors.As(err, &sent):
		return seal.Unreachable, "check that this process reaches KMS in the key's region"
	}
	return seal.Misconfigured, "give it AWS credentials by a role, the environment or a profile"
}

package aws

import "net/http"

// service describes how one AWS service speaks: which errors it answers, with
// which status, and how they are written.
type service struct {
	name   string // as in the credential scope of a signature
	prefix string // of its IAM actions
	target string // of the X-Amz-Target header, for the JSON services
	// writeError writes an error in the service's own form.
	writeError func(w http.ResponseWriter, c *call, e *apiError)

	missingAuth, unknownKey, badSignature, expiredToken, denied apiError
	throttled, unavailable, unknownOperation                    apiError
}

// apiError is an error as a service answers it.
type apiError struct {
	code    string
	status  int
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// with gives the same error another message.
func (e apiError) with(message string) *apiError {
	e.message = message
	return &e
}

// The messages follow what the services answer; see "Common Errors" in the
// API reference of each.
const (
	messageMissingAuth  = "Request is missing Authentication Token"
	messageUnknownKey   = "The security token included in the request is invalid."
	messageExpired      = "The security token included in the request is expired"
	messageBadSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	messageThrottled    = "Rate exceeded"
	messageUnavailable  = "The service cannot complete the request at this time."
)

// queryService is STS or IAM (AWS Query protocol).
func queryService(name string) *service {
	return &service{
		name: name, prefix: name, writeError: writeQueryError,
		missingAuth:      apiError{"MissingAuthenticationToken", 403, messageMissingAuth},
		unknownKey:       apiError{"InvalidClientTokenId", 403, messageUnknownKey},
		badSignature:     apiError{"SignatureDoesNotMatch", 403, messageBadSignature},
		expiredToken:     apiError{"ExpiredToken", 403, messageExpired},
		denied:           apiError{code: "AccessDenied", status: 403},
		throttled:        apiError{"Throttling", 400, messageThrottled},
		unavailable:      apiError{"ServiceUnavailable", 503, messageUnavailable},
		unknownOperation: apiError{code: "InvalidAction", status: 400},
	}
}

// jsonService is Organizations, Identity Center or Identity Store
// (AWS JSON 1.1 protocol).
func jsonService(name, prefix, target, throttling, unavailable string) *service {
	return &service{
		name: name, prefix: prefix, target: target, writeError: writeJSONError,
		missingAuth:      apiError{"MissingAuthenticationTokenException", 400, messageMissingAuth},
		unknownKey:       apiError{"UnrecognizedClientException", 400, messageUnknownKey},
		badSignature:     apiError{"InvalidSignatureException", 400, messageBadSignature},
		expiredToken:     apiError{"ExpiredTokenException", 400, messageExpired},
		denied:           apiError{code: "AccessDeniedException", status: 400},
		throttled:        apiError{throttling, 400, messageThrottled},
		unavailable:      apiError{unavailable, 500, messageUnavailable},
		unknownOperation: apiError{code: "UnknownOperationException", status: 400},
	}
}

func s3Service() *service {
	return &service{
		name: "s3", prefix: "s3", writeError: writeS3Error,
		missingAuth:      apiError{"AccessDenied", 403, "Access Denied"},
		unknownKey:       apiError{"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."},
		badSignature:     apiError{"SignatureDoesNotMatch", 403, messageBadSignature},
		expiredToken:     apiError{"ExpiredToken", 400, "The provided token has expired."},
		denied:           apiError{code: "AccessDenied", status: 403},
		throttled:        apiError{"SlowDown", 503, "Please reduce your request rate."},
		unavailable:      apiError{"ServiceUnavailable", 503, messageUnavailable},
		unknownOperation: apiError{code: "NotImplemented", status: 501},
	}
}

func lambdaService() *service {
	return &service{
		name: "lambda", prefix: "lambda", writeError: writeRESTJSONError,
		missingAuth:      apiError{"MissingAuthenticationTokenException", 403, messageMissingAuth},
		unknownKey:       apiError{"UnrecognizedClientException", 403, messageUnknownKey},
		badSignature:     apiError{"InvalidSignatureException", 403, messageBadSignature},
		expiredToken:     apiError{"ExpiredTokenException", 403, messageExpired},
		denied:           apiError{code: "AccessDeniedException", status: 403},
		throttled:        apiError{"TooManyRequestsException", 429, "Rate Exceeded."},
		unavailable:      apiError{"ServiceException", 500, messageUnavailable},
		unknownOperation: apiError{code: "UnknownOperationException", status: 404},
	}
}

// services lists what the simulator speaks, by name in the credential scope.
// Identity Center's administration signs as "sso".
func services() map[string]*service {
	return map[string]*service{
		"sts":           queryService("sts"),
		"iam":           queryService("iam"),
		"organizations": jsonService("organizations", "organizations", "AWSOrganizationsV20161128", "TooManyRequestsException", "ServiceException"),
		"sso":           jsonService("sso", "sso", "SWBExternalService", "ThrottlingException", "InternalServerException"),
		"identitystore": jsonService("identitystore", "identitystore", "AWSIdentityStore", "ThrottlingException", "InternalServerException"),
		"s3":            s3Service(),
		"lambda":        lambdaService(),
	}
}

// Package aws is the connector "aws-discovery": it reads who can reach what
// from Amazon Web Services through the official SDK.
//
// Each stream has its file: organization, iam, s3, lambda, trust, grants,
// identity_center and permission_sets. All but organization and
// identity_center are partitioned by AWS account, so that one unreachable
// account leaves the others complete.
//
// What passes through: signed calls over the [http.Client] of the settings go
// out, pages of canonical records come in. IAM is read by
// GetAccountAuthorizationDetails, 1,000 objects a call, never object by
// object.
//
// Names of things: entities carry the provider's immutable ids (AIDA…, AROA…,
// AGPA…, ANPA…). What AWS only knows by ARN (buckets, functions, its own
// managed policies) is named by ARN; what exists once per account is suffixed
// "@<account>". Trust and resource policies name principals by ARN; the
// session's directory turns those into ids.
//
// The package does not evaluate policies: it reports what each statement says,
// denies included, and which buckets, functions and trusting roles it speaks
// of. It never changes anything at the provider.
package aws

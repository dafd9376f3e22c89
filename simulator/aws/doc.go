// Package aws is a simulated AWS organisation on loopback. It speaks the
// protocols of the services that tell who can reach what, so that any AWS SDK
// or tool works against it when given its address as endpoint, and answers
// from the estate of package estate.
//
// A request passes, in this order: the route to a service and operation, the
// signature, the faults that were asked for, the caller's permissions, the
// operation. None of them changes the estate; another day does, by Turn. The
// simulator never talks to the network and knows nothing of any client: what
// it answers follows AWS's public documentation and nothing else.
//
// What follows which documentation:
//
//   - protocols: Smithy specification, "AWS query", "AWS JSON 1.1",
//     "AWS restJson1" and "AWS restXml"
//   - signatures: IAM User Guide, "AWS Signature Version 4 for API requests";
//     every signature is checked, with the clock
//   - STS, IAM: AWS Security Token Service and Identity and Access Management
//     API References; IAM User Guide, "Get credential reports", "Policy
//     evaluation logic", "Troubleshoot access denied error messages"
//   - Organizations: AWS Organizations API Reference
//   - Identity Center: IAM Identity Center and Identity Store API References
//   - S3: Amazon S3 API Reference, path-style; the bucket may also be the
//     first label of a host under localhost
//   - Lambda: AWS Lambda API Reference, 2015-03-31
//
// Where AWS leaves a choice, the simulator takes the one that trips careless
// clients: IAM answers short pages that are truncated, Organizations answers
// empty pages with a token, lists of users and roles omit tags and
// boundaries, buckets outside the signing region redirect.
//
// Known differences: there is one endpoint for all regions, and the region is
// that of the signature, so that global services accept any. Sessions have no
// session policies or tags. Key identifiers tell the account in a way of the
// simulator's own. Identity Center is not seen from member accounts.
//
// The simulator's own interface is under /_simulator/ on the same address;
// see the control.go file and type Fault.
package aws

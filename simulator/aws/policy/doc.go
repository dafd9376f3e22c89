// Package policy holds IAM policy documents: how they are written, read and
// evaluated. The simulated estate is made of them, and the simulator decides
// with them whether a caller may do what it asks.
//
// The grammar follows the IAM User Guide, "IAM JSON policy element reference"
// and "Grammar of the IAM JSON policy language"; evaluation follows "Policy
// evaluation logic". Only condition operators and keys that the estate itself
// uses are evaluated. A statement with any other condition counts as not
// matching when it allows and as matching when it denies, so that a gap here
// never grants.
package policy

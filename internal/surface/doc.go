// Package surface says what operators' surfaces show of a start and of a run, in
// the shapes and media types of the provider dispatch gate's contract.
//
// Results of the gate and runs come in; what comes out is derived from them and
// from nothing else, so that a page, an API and a command line never say
// different things. Requests in the contract's shapes become requests to the
// gate. Ids are bare numbers here, as the contract has them, and links lead to
// the surfaces. The package serves nothing, decides nothing, and never sees a
// credential.
package surface

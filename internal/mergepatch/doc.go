// Package mergepatch applies JSON merge patches as RFC 7396 defines them: a
// member that is null is removed, one that is absent stays, objects are merged
// member by member, and everything else is replaced.
//
// Documents pass through it as JSON and numbers stay as they were written. It
// knows no schema: whether the result is allowed is for whoever asked to say.
package mergepatch

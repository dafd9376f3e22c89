// Package idempotency tells a request that is sent again from another one that
// uses the same key, so that what is made is made once.
//
// A caller's key and the request's content come in; what goes on to be stored is
// the key's hash and the content's hash under the key. The key itself is never
// kept, so that whoever reads the database can neither repeat the request nor
// try guesses at a secret that was in it. The package stores nothing and decides
// nothing: the store of each noun does, in the transaction that makes it.
package idempotency

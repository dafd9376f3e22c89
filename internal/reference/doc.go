// Package reference finds secrets that an estate keeps in stores of its own:
// environment variables, files, and AWS Secrets Manager.
//
// A reference comes in, the secret goes out, at each disclosure and for that
// disclosure alone; nothing is cached. What may be referred to is a list that
// the operator writes and that is empty at first, because whoever may edit a
// connection could otherwise have any file of the server sent to a worker. Each
// entry says for which workspace it is.
//
// The package never writes to a store, never lists one, and says of a secret
// only whether it could be had.
package reference

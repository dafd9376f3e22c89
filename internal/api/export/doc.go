// Package export has the HTTP operations on exports: to request one, follow it, and
// download its file, in parts if need be. Range, If-Range and ETag are left to
// net/http; the ETag is the file's SHA-256.
package export

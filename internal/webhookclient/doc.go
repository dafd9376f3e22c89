// Package webhookclient sends deliveries of webhooks over HTTP, with the headers
// of Standard Webhooks.
//
// It is a sender for package webhook. Each request goes through a transport of
// package egress, which checks the very address it connects to; redirects are not
// followed; of an answer, the status and Retry-After are taken, and its body is
// read only so that the connection can be used again. Problems are told in words
// of this package: what a host said, or which address a name has, is in none.
package webhookclient

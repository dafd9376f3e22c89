// Package identity runs oidc-provider for tests: a certified OpenID Connect
// provider that we did not write, with its own login pages, which a test fills in
// as a person's browser would.
//
// It is a program of Node.js, pinned in package-lock.json. Where it is not
// installed (npm ci --prefix test/identity) the test is skipped, saying so. The
// package never sees a token.
package identity

// Package onboarding serves /v1/onboarding: sessions in which a provider is
// connected, verified and read for the first time.
//
// It translates between HTTP and the use cases of internal/onboarding and decides
// nothing itself. No credential passes through it.
package onboarding

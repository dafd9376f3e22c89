// Package health answers whether a service is alive and ready, and serves its
// metrics.
//
// Orchestrators ask /healthz to restart a process and /readyz to send it
// requests; monitoring reads /metrics. None of them takes an API key, so none
// says more than a check's name and whether it passed; why one failed is in the
// service's log.
package health

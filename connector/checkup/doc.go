// Package checkup turns what a connector's Check finds into the answer of the
// contract: how complete each stream would be, and whether that suffices.
//
// A session's probes pass their errors to [Findings]; [Findings.Outlook] and
// [Sufficient] make of them what a [connector.CheckResult] holds. Which calls to try
// and what to do about a finding is the connector's own knowledge. The package calls
// nobody and imports only the standard library and connector.
package checkup

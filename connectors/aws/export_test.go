package aws

// NewForLargeAccounts returns the connector in the way it works on accounts
// too large for a snapshot, sending a page for each of AWS's.
func NewForLargeAccounts() Connector { return Connector{pageRecords: 1} }

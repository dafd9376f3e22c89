package gatehouse

import "embed"

// ContractSource is the source of packages connector and connector/wire, by its paths
// in the module, tests among it. Both need the standard library alone.
//
//go:embed connector/*.go connector/wire/*.go
var ContractSource embed.FS

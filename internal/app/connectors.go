package app

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/builtin"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/registration"
)

// ConnectorSettings say which connectors there are beside the built-in ones.
type ConnectorSettings struct {
	// File has those that an operator has registered; empty for none.
	File string
	// Isolated refuses to run them where the system cannot keep them apart.
	Isolated bool
}

// registered returns the connectors of the file.
func (c ConnectorSettings) registered() ([]connector.Connector, error) {
	all, err := registration.Load(c.File)
	if err != nil {
		return nil, fmt.Errorf("--connectors-file: %w", err)
	}
	connectors := make([]connector.Connector, len(all))
	for i, r := range all {
		connectors[i] = r.Connector(c.Isolated)
	}
	return connectors, nil
}

// newCatalog describes the built-in connectors and those that are registered.
func newCatalog(c ConnectorSettings) (*integration.Catalog, error) {
	registered, err := c.registered()
	if err != nil {
		return nil, err
	}
	return integration.NewCatalog(builtin.Connectors(), registered...)
}

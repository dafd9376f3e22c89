package builtin

import (
	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	"github.com/gatehouse-project/gatehouse/connectors/azure"
	"github.com/gatehouse-project/gatehouse/connectors/cyberark"
	"github.com/gatehouse-project/gatehouse/connectors/xero"
)

// Connectors returns the built-in connectors in the order of the catalog.
func Connectors() []connector.Connector {
	return []connector.Connector{aws.New(), azure.New(), cyberark.New(), xero.New()}
}

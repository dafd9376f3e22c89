package aws

import (
	_ "github.com/gatehouse-project/gatehouse/connector"
	_ "github.com/gatehouse-project/gatehouse/connectors/azure"
)

package aws

import _ "github.com/gatehouse-project/gatehouse/connector"

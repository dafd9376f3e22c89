package run

import (
	_ "net/http"

	_ "github.com/gatehouse-project/gatehouse/internal/audit"
)

package run

import (
	_ "net/http"

	_ "github.com/gatehouse-project/gatehouse/internal/postgres"
	_ "github.com/gatehouse-project/gatehouse/internal/run"
)

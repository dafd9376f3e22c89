package budget

import "github.com/gatehouse-project/gatehouse/internal/integration"

// Service is the use cases on throttle budgets.
type Service struct {
	Book Book
	// Catalog says what connectors declare.
	Catalog *integration.Catalog
}

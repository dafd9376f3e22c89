package budget

import "github.com/gatehouse-project/gatehouse/internal/integration"

// Store keeps budgets, and the limits that were set.
type Store interface {
	Book
	Levels
	Limits
}

// Service is the use cases on throttle budgets.
type Service struct {
	Store Store
	// Catalog says what connectors declare.
	Catalog *integration.Catalog
}

package integration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// ID names a catalog entry: a lower-case word such as "aws".
type ID string

// WellFormed reports whether i could name a catalog entry: a lower-case word of
// at most 63 letters, digits and underscores.
func (i ID) WellFormed() bool {
	return i != "" && len(i) <= 63 && i[0] >= 'a' && i[0] <= 'z' && !strings.ContainsFunc(string(i), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	})
}

// Integration is a catalog entry.
type Integration struct {
	connector.Manifest
	configuration *schema
	scope         *schema
	// ByOperator says that it is a program that an operator has registered, and not
	// a connector that comes with Gatehouse.
	ByOperator bool
	// packer is nil for a connector without that capability.
	packer connector.PermissionPacker
	// decider likewise.
	decider connector.Decider
}

// ID returns the entry's id.
func (i *Integration) ID() ID { return ID(i.IntegrationID) }

// Catalog is the set of integrations of a deployment. It does not change after
// it was made and is safe for concurrent use.
type Catalog struct {
	entries []*Integration
}

// NewCatalog makes the catalog of these connectors, and of those that an operator has
// registered. An error means that a manifest is unusable or an id is taken twice.
func NewCatalog(connectors []connector.Connector, registered ...connector.Connector) (*Catalog, error) {
	c := &Catalog{}
	for i, k := range slices.Concat(connectors, registered) {
		byOperator := i >= len(connectors)
		m := k.Manifest()
		if m.ContractVersion != connector.ContractVersion {
			return nil, fmt.Errorf("connector %s is written for contract %q; this version of Gatehouse speaks %q", m.ConnectorID, m.ContractVersion, connector.ContractVersion)
		}
		if !ID(m.IntegrationID).WellFormed() {
			return nil, fmt.Errorf("connector %s: integration id %q is not a lower-case word", m.ConnectorID, m.IntegrationID)
		}
		if _, err := c.Get(ID(m.IntegrationID)); err == nil {
			return nil, fmt.Errorf("two connectors call themselves %q", m.IntegrationID)
		}
		for i, scope := range m.ThrottleScopes {
			if err := scope.Validate(); err != nil {
				return nil, fmt.Errorf("connector %s: %w", m.ConnectorID, err)
			}
			if slices.ContainsFunc(m.ThrottleScopes[:i], func(s connector.ThrottleScope) bool { return s.Name == scope.Name }) {
				return nil, fmt.Errorf("connector %s: two throttle scopes are called %q", m.ConnectorID, scope.Name)
			}
		}
		entry := &Integration{Manifest: m, ByOperator: byOperator}
		entry.packer, _ = k.(connector.PermissionPacker)
		entry.decider, _ = k.(connector.Decider)
		var err error
		if entry.configuration, err = compile("configuration", m.Configuration); err != nil {
			return nil, fmt.Errorf("connector %s: %w", m.ConnectorID, err)
		}
		if entry.scope, err = compile("scope", m.Scope); err != nil {
			return nil, fmt.Errorf("connector %s: %w", m.ConnectorID, err)
		}
		if err := entry.checkRenewal(); err != nil {
			return nil, fmt.Errorf("connector %s: %w", m.ConnectorID, err)
		}
		c.entries = append(c.entries, entry)
	}
	slices.SortFunc(c.entries, func(a, b *Integration) int { return cmp.Compare(a.IntegrationID, b.IntegrationID) })
	return c, nil
}

// Get returns the entry, or NotFound.
func (c *Catalog) Get(i ID) (*Integration, error) {
	for _, e := range c.entries {
		if e.ID() == i {
			return e, nil
		}
	}
	known := make([]string, len(c.entries))
	for n, e := range c.entries {
		known[n] = string(e.ID())
	}
	if near := nearest.Name(string(i), known); near != "" {
		return nil, fault.New(fault.NotFound, "there is no integration %q in the catalog; did you mean %s?", i, near)
	}
	return nil, fault.New(fault.NotFound, "there is no integration %q in the catalog; GET /v1/integrations lists them", i)
}

// List returns the entries in order of id. The slice is the caller's.
func (c *Catalog) List() []*Integration { return slices.Clone(c.entries) }

// Decider returns the connector of an integration that decides its provider's
// requests; false when it does not, or there is no such integration.
func (c *Catalog) Decider(i ID) (connector.Decider, bool) {
	for _, e := range c.entries {
		if e.ID() == i {
			return e.decider, e.decider != nil
		}
	}
	return nil, false
}

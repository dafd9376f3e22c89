package integration

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// PermissionPacks returns what to grant at the provider, in its own form if the
// connector knows one, and as a list otherwise. The configuration is its readable
// half, which need not be whole; either may be empty. What contradicts itself is
// Invalid.
func (i *Integration) PermissionPacks(configuration, scope json.RawMessage) ([]connector.PermissionPack, error) {
	if len(scope) > 0 {
		if _, err := i.ValidateScope(scope); err != nil {
			return nil, err
		}
	}
	if err := i.refuseSecrets(configuration); err != nil {
		return nil, err
	}
	if i.packer == nil {
		return []connector.PermissionPack{i.permissionList()}, nil
	}
	packs, err := i.packer.PermissionPacks(connector.PermissionSettings{Configuration: configuration, Scope: scope})
	var refused *connector.Error
	if errors.As(err, &refused) {
		field := "configuration"
		if refused.Category == connector.ScopeInvalid {
			field = "scope"
		}
		return nil, fault.InvalidField(field, "%s", refused.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("permission packs of %s: %w", i.IntegrationID, err)
	}
	return packs, nil
}

// refuseSecrets keeps secrets out of what needs none, and finds misspelt fields.
func (i *Integration) refuseSecrets(configuration json.RawMessage) error {
	if len(configuration) == 0 {
		return nil
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(configuration, &given); err != nil {
		return fault.InvalidField("configuration", "must be a JSON object")
	}
	known := i.ConfigurationFields()
	for name := range given {
		at := slices.IndexFunc(known, func(f Field) bool { return f.Name == name })
		switch {
		case at < 0:
			return fault.InvalidField("configuration."+name, "is no field of %s; see GET /v1/integrations/%s", i.IntegrationID, i.IntegrationID)
		case known[at].Secret:
			return fault.InvalidField("configuration."+name, "is secret, and no permission depends on it; leave it out")
		}
	}
	return nil
}

// permissionList is the permissions by stream, for people.
func (i *Integration) permissionList() connector.PermissionPack {
	var text strings.Builder
	for _, s := range i.Streams {
		if len(s.Permissions) == 0 {
			continue
		}
		fmt.Fprintf(&text, "%s: %s\n", s.Name, cmp.Or(s.Description, "read from the provider"))
		for _, p := range s.Permissions {
			fmt.Fprintf(&text, "  %s (%s)\n", p.Name, p.Why)
		}
	}
	return connector.PermissionPack{
		Kind: "permission_list", Title: "Permissions by what they are for", Instructions: "Grant these to the identity of the connection.",
		Format: "text", FileName: i.IntegrationID + "-permissions.txt", Content: text.String(),
	}
}

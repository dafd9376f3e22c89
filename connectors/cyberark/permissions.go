package cyberark

import (
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The kinds of permission packs.
const (
	packRights = "cyberark_administrative_rights"
	packScope  = "cyberark_oauth_scope"
)

var _ connector.PermissionPacker = Connector{}

// PermissionPacks returns what to grant for such a connection: the administrative
// rights of the service user's role, and the patterns of the app's scope.
func (Connector) PermissionPacks(of connector.PermissionSettings) ([]connector.PermissionPack, error) {
	c, err := decodeConfiguration(of.Configuration)
	if err != nil {
		return nil, err
	}
	rights, patterns := needed(c)
	packs := []connector.PermissionPack{{
		Kind: packRights, Title: "Administrative rights of the service user's role",
		Instructions: "Make a role for the service user alone (Core Services, Roles), and give it these rights on its page Administrative Rights. Releases of the portal may word them a little differently.",
		Format:       "text", FileName: "gatehouse-cyberark-rights.txt", Content: strings.Join(rights, "\n") + "\n",
	}}
	if c.scoped() {
		packs = append(packs, connector.PermissionPack{
			Kind: packScope, Title: "Scope of the OAuth2 client app",
			Instructions: "Add a scope to the app (page Scope) with these patterns as allowed REST APIs, and give the service user's role the permission Run on the app (page Permissions).",
			Format:       "text", FileName: "gatehouse-cyberark-scope.txt", Content: strings.Join(patterns, "\n") + "\n",
		})
	}
	return packs, nil
}

// needed are the rights, and the patterns of the scope, that a configuration asks for.
func needed(c configuration) (rights, patterns []string) {
	patterns = []string{patternWhoAmI}
	for _, stream := range streams() {
		for _, p := range stream.Permissions {
			switch {
			case !asked(c, p.Name):
			case isPattern(p.Name):
				patterns = append(patterns, p.Name)
			default:
				rights = append(rights, p.Name)
			}
		}
	}
	slices.Sort(rights)
	slices.Sort(patterns)
	return slices.Compact(rights), slices.Compact(patterns)
}

// asked reports whether a configuration has use for a permission.
func asked(c configuration, permission string) bool {
	return c.IncludeMFA || permission != rightUsers && permission != patternLockedOut
}

// isPattern tells patterns of a scope from administrative rights.
func isPattern(permission string) bool { return strings.HasSuffix(permission, ".*") }

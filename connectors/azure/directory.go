package azure

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type organization struct {
	ID      string `json:"id"`
	Name    string `json:"displayName"`
	Type    string `json:"tenantType"`
	Domains []struct {
		Name    string `json:"name"`
		Default bool   `json:"isDefault"`
	} `json:"verifiedDomains"`
}

// organization returns the tenant.
func (s *session) organization(ctx context.Context) (organization, error) {
	found, err := all[organization](ctx, s, s.graph("organization", permOrganization, 1, "$select", "id,displayName,tenantType,verifiedDomains"))
	if err != nil {
		return organization{}, err
	}
	if len(found) == 0 {
		return organization{}, &connector.Error{Category: connector.ProviderUnavailable, Message: "Graph answered without an organisation; check endpoint_url"}
	}
	return found[0], nil
}

// readTenant adds the tenant, as what contains and as what directory roles reach.
// One that may not be named is known by its id.
func (s *session) readTenant(ctx context.Context, _ string, _ records.Place, b *records.Writer) error {
	id, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	o, err := s.organization(ctx)
	if err := gapOrFail(b, err); err != nil {
		return err
	}
	name := o.Name
	if name == "" {
		name = id
	}
	var domains []string
	for _, d := range o.Domains {
		domains = append(domains, d.Name)
	}
	b.Entity(connector.Entity{Ref: boundaryRef(id), Name: records.Name(name), Type: "entra_tenant", Attributes: attributes(map[string]any{"domains": domains, "tenant_type": o.Type}, "domains")})
	b.Entity(connector.Entity{Ref: resourceRef(id), Name: records.Name(name + " (directory)"), Type: "directory"})
	b.Relate(connector.BoundaryContains, boundaryRef(id), resourceRef(id))
	return b.Err()
}

type unit struct {
	ID          string `json:"id"`
	Name        string `json:"displayName"`
	Description string `json:"description"`
	Restricted  *bool  `json:"isMemberManagementRestricted"`
}

func (s *session) unitsCall() call {
	return s.graph("directory/administrativeUnits", permUnits, 2, "$top", largestPage)
}

// readUnits reads administrative units, and of twenty at a time the members.
func (s *session) readUnits(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	return eachChunk(ctx, s, s.unitsCall(), from, b, maxBatch, func(u unit) string { return u.ID }, func(units []unit) error {
		parts := make([]part, len(units))
		for i, u := range units {
			parts[i] = part{path: "directory/administrativeUnits/" + u.ID + "/members?$select=id&$top=" + largestPage, permission: permUnits, on: "the tenant", cost: 2}
		}
		answers, err := s.batched(ctx, "v1.0", parts)
		if err != nil {
			return err
		}
		for i, u := range units {
			restricted := u.Restricted != nil && *u.Restricted
			b.Entity(connector.Entity{
				Ref: boundaryRef(u.ID), Name: records.Name(u.Name), Type: "administrative_unit",
				Attributes: attributes(map[string]any{"description": records.Clip(u.Description, 4096), "restricted": restricted}),
			})
			b.Entity(connector.Entity{Ref: resourceRef(u.ID), Name: records.Name(u.Name), Type: "administrative_unit"})
			b.Relate(connector.BoundaryContains, boundaryRef(tenant), boundaryRef(u.ID))
			b.Relate(connector.BoundaryContains, boundaryRef(u.ID), resourceRef(u.ID))
			err := readPart(ctx, s, "v1.0", parts[i], answers[i], func(m directoryObject) {
				switch m.Type {
				case typeUser, typeServicePrincipal:
					b.Relate(connector.BoundaryContains, boundaryRef(u.ID), accountRef(m.ID))
				case typeGroup:
					b.Relate(connector.BoundaryContains, boundaryRef(u.ID), resourceRef(m.ID))
				}
			})
			if err := partGap(b, err); err != nil {
				return err
			}
		}
		return b.Err()
	})
}

type directoryRole struct {
	ID          string `json:"id"`
	Name        string `json:"displayName"`
	Description string `json:"description"`
	BuiltIn     *bool  `json:"isBuiltIn"`
	Enabled     *bool  `json:"isEnabled"`
	Permissions []struct {
		Allowed   []string `json:"allowedResourceActions"`
		Excluded  []string `json:"excludedResourceActions"`
		Condition string   `json:"condition"`
	} `json:"rolePermissions"`
}

type directoryAssignment struct {
	ID          string          `json:"id"`
	PrincipalID string          `json:"principalId"`
	Role        string          `json:"roleDefinitionId"`
	Scope       string          `json:"directoryScopeId"`
	End         *time.Time      `json:"endDateTime"`
	Principal   directoryObject `json:"principal"`
}

func (s *session) directoryDefinitions(ctx context.Context) ([]directoryRole, error) {
	if s.definitions == nil {
		found, err := all[directoryRole](ctx, s, s.graph("roleManagement/directory/roleDefinitions", permDirectoryRoles, 1,
			"$select", "id,displayName,description,isBuiltIn,isEnabled,rolePermissions"))
		if err != nil {
			return nil, err
		}
		s.definitions = append([]directoryRole{}, found...)
	}
	return s.definitions, nil
}

// directoryRoleAt names a role at a scope of the directory; "/" is all of it.
func directoryRoleAt(role, scope string) connector.Ref {
	if scope == "" || scope == "/" {
		return entitlementRef("directoryroles/" + role)
	}
	return entitlementRef("directoryroles/" + role + "@" + scope)
}

// addDirectoryRole adds a role at a scope once, with what it allows there.
func addDirectoryRole(b *records.Writer, tenant string, role directoryRole, scope string) {
	id := directoryRoleAt(role.ID, scope)
	if b.Has(id) {
		return
	}
	on := tenant
	if scope != "" && scope != "/" {
		on = scope[strings.LastIndexByte(scope, '/')+1:]
	}
	name := role.Name
	if name == "" {
		name = role.ID
	}
	if on != tenant {
		name += " (scoped)"
	}
	b.Once(connector.Entity{
		Ref: id, Name: records.Name(name), Type: "directory_role",
		Attributes: attributes(map[string]any{
			"description": records.Clip(role.Description, 4096), "built_in": role.BuiltIn != nil && *role.BuiltIn, "role_definition_id": role.ID, "scope": scope,
			"disabled": role.Enabled != nil && !*role.Enabled,
		}),
	})
	for i, p := range role.Permissions {
		terms := &connector.Terms{}
		terms.Actions, _ = actions(p.Allowed)
		terms.NotActions, _ = actions(p.Excluded)
		if p.Condition != "" {
			terms.Conditions = conditions(map[string]string{"condition": records.Clip(p.Condition, 16<<10)})
		}
		b.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: id, To: resourceRef(on), Key: strconv.Itoa(i), Terms: terms})
	}
}

// conditions encodes what can always be encoded.
func conditions(of any) json.RawMessage {
	raw, err := json.Marshal(of)
	if err != nil {
		return nil
	}
	return raw
}

// readDirectoryRoles adds every role and who has it.
func (s *session) readDirectoryRoles(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	return s.readRoleAssignments(ctx, from, b, s.graph("roleManagement/directory/roleAssignments", permDirectoryRoles, 2, "$expand", "principal($select=id)"), true)
}

// readEligibleRoles adds who may activate a role.
func (s *session) readEligibleRoles(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	return s.readRoleAssignments(ctx, from, b, s.eligibleRolesCall(), false)
}

func (s *session) eligibleRolesCall() call {
	return s.graph("roleManagement/directory/roleEligibilityScheduleInstances", permDirectoryRoles, 2, "$expand", "principal($select=id)")
}

func (s *session) readRoleAssignments(ctx context.Context, from records.Place, b *records.Writer, list call, active bool) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	definitions, err := s.directoryDefinitions(ctx)
	if err := gapOrFail(b, err); err != nil {
		return err
	}
	known := map[string]directoryRole{}
	for _, d := range definitions {
		known[d.ID] = d
		if active {
			addDirectoryRole(b, tenant, d, "/")
		}
	}
	return readList(ctx, s, list, from, b, func(a directoryAssignment) {
		role, ok := known[a.Role]
		if !ok {
			role = directoryRole{ID: a.Role}
		}
		addDirectoryRole(b, tenant, role, a.Scope)
		if a.Principal.ID == "" {
			a.Principal.ID = a.PrincipalID
		}
		var terms *connector.Terms
		if !active {
			terms = &connector.Terms{Given: connector.Eligible, ExpiresAt: a.End}
		}
		key := a.ID
		if !active {
			key = "eligible/" + a.ID
		}
		give(b, a.Principal, directoryRoleAt(a.Role, a.Scope), records.Clip(key, connector.MaxKeyBytes), terms, nil)
	})
}

type delegatedGrant struct {
	ID          string `json:"id"`
	Client      string `json:"clientId"`
	ConsentType string `json:"consentType"`
	Principal   string `json:"principalId"`
	Resource    string `json:"resourceId"`
	Scope       string `json:"scope"`
}

func (s *session) grantsCall() call {
	return s.graph("oauth2PermissionGrants", permGrants, 2, "$top", largestPage)
}

// readGrants reads what clients may do in the name of users.
func (s *session) readGrants(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	return readList(ctx, s, s.grantsCall(), from, b, func(g delegatedGrant) {
		// These ids tell upper from lower case.
		id := connector.Ref{Kind: connector.Entitlement, ID: "delegated/" + g.ID}
		scopes, _ := actions(strings.Fields(g.Scope))
		name, of := "Delegated access for everyone", map[string]string{"in_the_name_of": "all"}
		if g.ConsentType == "Principal" {
			name, of = "Delegated access for one user", map[string]string{"in_the_name_of": g.Principal}
		}
		b.Entity(connector.Entity{Ref: id, Name: name, Type: "delegated_grant", Attributes: attributes(map[string]any{"consent_type": g.ConsentType, "principal_id": g.Principal, "scope": records.Clip(g.Scope, 32<<10)})})
		b.Relate(connector.AccountAssignedEntitlement, accountRef(g.Client), id)
		b.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: id, To: resourceRef(g.Resource), Terms: &connector.Terms{Actions: scopes, Conditions: conditions(of)}})
	})
}

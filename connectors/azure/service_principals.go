package azure

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type appRole struct {
	ID      string   `json:"id"`
	Value   string   `json:"value"`
	Name    string   `json:"displayName"`
	Members []string `json:"allowedMemberTypes"`
}

type servicePrincipal struct {
	ID           string       `json:"id"`
	AppID        string       `json:"appId"`
	Name         string       `json:"displayName"`
	Type         string       `json:"servicePrincipalType"`
	Enabled      *bool        `json:"accountEnabled"`
	Organization string       `json:"appOwnerOrganizationId"`
	Required     bool         `json:"appRoleAssignmentRequired"`
	Alternative  []string     `json:"alternativeNames"`
	Roles        []appRole    `json:"appRoles"`
	Passwords    []credential `json:"passwordCredentials"`
	Keys         []credential `json:"keyCredentials"`
}

type appRoleAssignment struct {
	ID        string `json:"id"`
	Role      string `json:"appRoleId"`
	Principal string `json:"principalId"`
	Type      string `json:"principalType"`
}

// defaultAppRole stands for access to an application without one of its roles.
const defaultAppRole = "00000000-0000-0000-0000-000000000000"

func (s *session) servicePrincipalsCall() call {
	return s.graph("servicePrincipals", permApplications, 1, "$select",
		"id,appId,displayName,servicePrincipalType,accountEnabled,appOwnerOrganizationId,appRoleAssignmentRequired,alternativeNames,appRoles,passwordCredentials,keyCredentials", "$top", largestPage)
}

// readServicePrincipals reads enterprise applications and managed identities, and
// of ten at a time the owners and who has their roles in one batch.
func (s *session) readServicePrincipals(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	return eachChunk(ctx, s, s.servicePrincipalsCall(), from, b, maxBatch/2, func(sp servicePrincipal) string { return sp.ID }, func(all []servicePrincipal) error {
		return s.addServicePrincipals(ctx, tenant, all, b)
	})
}

func (s *session) addServicePrincipals(ctx context.Context, tenant string, all []servicePrincipal, b *records.Writer) error {
	var parts []part
	for _, sp := range all {
		parts = append(parts,
			part{path: "servicePrincipals/" + sp.ID + "/owners?$select=id&$top=" + largestPage, permission: permApplications, on: "the tenant", cost: 2},
			part{path: "servicePrincipals/" + sp.ID + "/appRoleAssignedTo?$top=" + largestPage, permission: permApplications, on: "the tenant", cost: 2})
	}
	answers, err := s.batched(ctx, "v1.0", parts)
	if err != nil {
		return err
	}
	for i, sp := range all {
		addServicePrincipal(b, tenant, sp)
		var owners []directoryObject
		err := readPart(ctx, s, "v1.0", parts[2*i], answers[2*i], func(o directoryObject) { owners = append(owners, o) })
		if err := partGap(b, err); err != nil {
			return err
		}
		ownership(b, owners, resourceRef(sp.ID), sp.Name, "service_principal_owner", "microsoft.directory/servicePrincipals/credentials/update", "microsoft.directory/servicePrincipals/appRoleAssignedTo/update")
		err = readPart(ctx, s, "v1.0", parts[2*i+1], answers[2*i+1], func(a appRoleAssignment) {
			if a.Role == defaultAppRole {
				addAppRole(b, sp, appRole{ID: defaultAppRole, Name: "Access"})
			}
			give(b, principalType(a.Type, a.Principal), appRoleRef(sp, a.Role), a.ID, nil, nil)
		})
		if err := partGap(b, err); err != nil {
			return err
		}
	}
	return b.Err()
}

func addServicePrincipal(b *records.Writer, tenant string, sp servicePrincipal) {
	kind := "service_principal"
	if strings.EqualFold(sp.Type, "ManagedIdentity") {
		kind = "managed_identity"
	}
	name := records.Name(sp.Name)
	fields := map[string]any{
		"app_id": sp.AppID, "service_principal_type": sp.Type, "owner_tenant": sp.Organization, "names": sp.Alternative,
		"secrets": credentials(sp.Passwords), "certificates": credentials(sp.Keys), "last_credential_ends_at": lastEnd(sp.Passwords, sp.Keys),
		"foreign": sp.Organization != "" && !strings.EqualFold(sp.Organization, tenant),
	}
	if sp.Enabled != nil {
		fields["disabled"] = !*sp.Enabled
	}
	b.Entity(connector.Entity{Ref: principalRef(sp.ID), Name: name, Type: "workload", Identifiers: []connector.Identifier{{Type: connector.ImmutableID, Value: strings.ToLower(sp.ID)}}})
	b.Entity(connector.Entity{Ref: accountRef(sp.ID), Name: name, Type: kind, Attributes: attributes(fields, "secrets", "certificates", "names")})
	b.Relate(connector.PrincipalRepresentsAccount, principalRef(sp.ID), accountRef(sp.ID))
	b.Relate(connector.BoundaryContains, boundaryRef(tenant), accountRef(sp.ID))
	// As an application that others have access to.
	b.Entity(connector.Entity{
		Ref: resourceRef(sp.ID), Name: name, Type: "enterprise_application",
		Attributes: attributes(map[string]any{"app_id": sp.AppID, "assignment_required": sp.Required}),
	})
	b.Relate(connector.BoundaryContains, boundaryRef(tenant), resourceRef(sp.ID))
	for _, role := range sp.Roles {
		addAppRole(b, sp, role)
	}
}

func appRoleRef(sp servicePrincipal, role string) connector.Ref {
	return entitlementRef(sp.ID + "/approles/" + role)
}

// addAppRole adds a role of an application once, with what it is a role of.
func addAppRole(b *records.Writer, sp servicePrincipal, role appRole) {
	id := appRoleRef(sp, role.ID)
	if b.Has(id) {
		return
	}
	name := role.Value
	if name == "" {
		name = role.Name
	}
	b.Once(connector.Entity{
		Ref: id, Name: records.Name(name + " of " + sp.Name), Type: "app_role",
		Attributes: attributes(map[string]any{"value": role.Value, "display_name": records.Clip(role.Name, 1024), "for": role.Members}),
	})
	terms := &connector.Terms{}
	if role.Value != "" && len(role.Value) <= connector.MaxNameBytes {
		terms.Actions = []string{role.Value}
	}
	b.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: id, To: resourceRef(sp.ID), Terms: terms})
}

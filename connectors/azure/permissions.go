package azure

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The kinds of permission packs.
const (
	packConsent    = "microsoft_graph_permissions"
	packScript     = "azure_cli_script"
	packRole       = "azure_custom_role"
	packAssignment = "azure_role_assignment"
)

var _ connector.PermissionPacker = Connector{}

// PermissionPacks returns what to grant for such a connection: the application
// permissions to consent to, and the role for Azure.
func (Connector) PermissionPacks(of connector.PermissionSettings) ([]connector.PermissionPack, error) {
	c, _, err := decodeSettings(of.Configuration, of.Scope)
	if err != nil {
		return nil, err
	}
	s := &session{configuration: c, client: &client{endpoints: endpointsOf(c)}}
	graph, actions := s.needed()
	consent := "Add these application permissions of Microsoft Graph to the app registration, then let an administrator of the tenant grant consent"
	if link := s.consentLink(); link != "" {
		consent += ": " + link
	} else {
		consent += "."
	}
	packs := []connector.PermissionPack{
		{Kind: packConsent, Title: "Application permissions of Microsoft Graph", Instructions: consent, Format: "text", FileName: "gatehouse-graph-permissions.txt", Content: strings.Join(graph, "\n") + "\n"},
		{
			Kind: packScript, Title: "The same for the Azure CLI", Instructions: "Run it as a Privileged Role Administrator of the tenant, with the application's client id; it adds the permissions and consents to them.",
			Format: "text", FileName: "gatehouse-graph-permissions.sh", Content: consentScript(c, graph),
		},
	}
	if !c.readsAzure() {
		return packs, nil
	}
	root := "/providers/Microsoft.Management/managementGroups/" + orText(c.TenantID, "TENANT_ID")
	role := map[string]any{
		"Name": "Gatehouse discovery", "IsCustom": true, "Description": "Reads who has which role where; nothing inside resources, and changes nothing.",
		"Actions": actions, "NotActions": []string{}, "DataActions": []string{}, "NotDataActions": []string{}, "AssignableScopes": []string{root},
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(role) // what is written here can always be encoded
	return append(packs,
		connector.PermissionPack{
			Kind: packRole, Title: "Custom role for Azure", Instructions: "Create it with az role definition create --role-definition @gatehouse-azure-role.json. The tenant's id has to stand in its scope, not a domain. The built-in role Reader does as well and sees more.",
			Format: "json", FileName: "gatehouse-azure-role.json", Content: text.String(),
		},
		connector.PermissionPack{
			Kind: packAssignment, Title: "Assignment of the role", Instructions: "Run it as an owner of the tenant root management group: there, the role is inherited by every subscription.",
			Format: "text", FileName: "gatehouse-azure-assignment.sh",
			Content: "az role assignment create --role 'Gatehouse discovery' --assignee '" + orText(c.ClientID, "CLIENT_ID") + "' --scope '" + root + "'\n",
		}), nil
}

// needed are the permissions of the streams that the configuration asks for.
func (s *session) needed() (graph, actions []string) {
	for _, stream := range streams() {
		if !s.reads(stream.Name) {
			continue
		}
		for _, p := range stream.Permissions {
			switch {
			case p.Name == permSignIns && !s.configuration.IncludeSignInActivity:
			case isGraphPermission(p.Name):
				graph = append(graph, p.Name)
			default:
				actions = append(actions, p.Name)
			}
		}
	}
	slices.Sort(graph)
	slices.Sort(actions)
	return slices.Compact(graph), slices.Compact(actions)
}

// consentLink is where an administrator consents; empty when the settings do not
// tell for what. Microsoft identity platform, "Admin consent".
func (s *session) consentLink() string {
	c := s.configuration
	if c.ClientID == "" || !tenantName.MatchString(c.TenantID) || c.EndpointURL != "" {
		return ""
	}
	return s.client.endpoints.login + "/" + c.TenantID + "/adminconsent?client_id=" + url.QueryEscape(c.ClientID)
}

// consentScript finds the permissions' ids by their names, so that none stands here.
func consentScript(c configuration, permissions []string) string {
	var b strings.Builder
	b.WriteString("set -eu\nclient='" + orText(c.ClientID, "CLIENT_ID") + "'\ngraph=00000003-0000-0000-c000-000000000000\n")
	b.WriteString("for role in " + strings.Join(permissions, " ") + "; do\n")
	b.WriteString("  id=$(az ad sp show --id \"$graph\" --query \"appRoles[?value=='$role'].id | [0]\" -o tsv)\n")
	b.WriteString("  az ad app permission add --id \"$client\" --api \"$graph\" --api-permissions \"$id=Role\"\ndone\n")
	b.WriteString("az ad app permission admin-consent --id \"$client\"\n")
	return b.String()
}

// orText is a setting in a form that a shell takes as it is, or what stands for it.
func orText(value, otherwise string) string {
	if value == "" || !tenantName.MatchString(value) {
		return otherwise
	}
	return value
}

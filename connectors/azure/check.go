package azure

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/checkup"
)

// mostProbedScopes bounds how many scopes of Azure a check looks into.
const mostProbedScopes = 10

// wider are application permissions that include another's reading; Microsoft
// Graph "Permissions reference" and the permissions of each API.
func wider(permission string) []string {
	switch permission {
	case permMembers:
		return []string{"Group.Read.All", "Directory.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
	case permSignIns, permHidden:
		return nil
	case permDirectoryRoles:
		return []string{"RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory", "Directory.Read.All", "Directory.ReadWrite.All"}
	}
	return []string{strings.Replace(permission, ".Read.", ".ReadWrite.", 1), "Directory.Read.All", "Directory.ReadWrite.All"}
}

// granted reports whether a token's application permissions include one.
func granted(roles []string, permission string) bool {
	return slices.Contains(roles, permission) || slices.ContainsFunc(wider(permission), func(w string) bool { return slices.Contains(roles, w) })
}

// isGraphPermission tells application permissions of Graph from actions of Resource
// Manager.
func isGraphPermission(name string) bool { return !strings.Contains(name, "/") }

// missing is a permission that is not there.
func missing(permission string) connector.Error {
	return connector.Error{Category: connector.PermissionDenied, Message: "missing " + permission, Permission: permission, On: "the tenant"}
}

// lacks is missing as an error.
func (*session) lacks(permission string) error {
	e := missing(permission)
	return &e
}

// check gathers what a check finds.
type check struct {
	session  *session
	findings checkup.Findings
}

// Check verifies the credentials and names the tenant. What the application may
// read in the directory stands in its token; for what a licence decides, and for
// Azure, small calls are made.
func (s *session) Check(ctx context.Context) (connector.CheckResult, error) {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return connector.CheckResult{}, err
	}
	held, err := s.client.token(ctx, serviceGraph, false)
	if err != nil {
		return connector.CheckResult{}, err
	}
	c := &check{session: s}
	result := connector.CheckResult{Target: connector.Target{ID: tenant, Type: "tenant"}, ActsAs: held.claims.Object}
	o, err := s.organization(ctx)
	if err := c.note(err, streamTenant); err != nil {
		return connector.CheckResult{}, err
	}
	result.Target.Name = o.Name
	if err := c.checkDirectory(ctx, held.claims.Roles); err != nil {
		return connector.CheckResult{}, err
	}
	if s.configuration.readsAzure() {
		if err := c.checkAzure(ctx); err != nil {
			return connector.CheckResult{}, err
		}
	}
	result.Streams = c.findings.Outlook(streams(), s.reads)
	result.Sufficient = checkup.Sufficient(streams(), result.Streams)
	for _, e := range c.findings.Errors() {
		result.Remediation = append(result.Remediation, c.remedy(e))
	}
	return result, nil
}

// Identify names the tenant and whom the credentials act as. No call but for the
// token is needed.
func (s *session) Identify(ctx context.Context) (connector.Identity, error) {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return connector.Identity{}, err
	}
	held, err := s.client.token(ctx, serviceGraph, false)
	if err != nil {
		return connector.Identity{}, err
	}
	return connector.Identity{Target: connector.Target{ID: tenant, Type: "tenant"}, ActsAs: held.claims.Object}, nil
}

// checkDirectory compares the token's permissions with what the streams need, and
// tries what a licence decides.
func (c *check) checkDirectory(ctx context.Context, roles []string) error {
	s := c.session
	for _, stream := range streams() {
		if !s.reads(stream.Name) {
			continue
		}
		for _, p := range stream.Permissions {
			if p.Name == permSignIns && !s.configuration.IncludeSignInActivity || !isGraphPermission(p.Name) || granted(roles, p.Name) {
				continue
			}
			e := missing(p.Name)
			if err := c.note(&e, stream.Name); err != nil {
				return err
			}
		}
	}
	var page pageOf[directoryObject]
	if s.configuration.IncludeSignInActivity && !c.findings.Missing(permSignIns) && !c.findings.Missing(permUsers) {
		err := s.client.get(ctx, s.graph("users", permSignIns, 1, "$select", "id,signInActivity", "$top", "1"), &page)
		if err := c.note(err, streamUsers); err != nil {
			return err
		}
	}
	if s.configuration.IncludePIM && !c.findings.Missing(permDirectoryRoles) {
		if err := c.note(s.client.get(ctx, s.eligibleRolesCall(), &page), streamEligibleRoles); err != nil {
			return err
		}
	}
	return nil
}

// checkAzure lists the scopes, and makes a small call for each permission in the
// first of them.
func (c *check) checkAzure(ctx context.Context) error {
	s := c.session
	found, err := s.listScopes(ctx)
	if err != nil {
		return err
	}
	for _, e := range []*connector.Error{found.shut, found.unseen} {
		if e != nil {
			if err := c.note(e, streamScopes); err != nil {
				return err
			}
		}
	}
	for _, id := range found.absent {
		e := missing(permSubscriptions)
		e.On = "subscription " + id
		if err := c.note(&e, streamScopes); err != nil {
			return err
		}
	}
	for i, sc := range found.all {
		if i == mostProbedScopes {
			break
		}
		if err := c.probe(ctx, sc); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) probe(ctx context.Context, sc armScope) error {
	s := c.session
	at := func(kind, permission, version, filter string) call {
		return s.arm(sc.path+"/providers/Microsoft.Authorization/"+kind, permission, onScope(sc), version, filter, sc.subscription)
	}
	calls := map[string][]call{
		streamAzureRoles: {
			at("roleAssignments", permRoleAssignments, versionAuthorization, "atScope()"),
			at("roleDefinitions", permRoleDefinitions, versionAuthorization, "type eq 'CustomRole'"),
		},
		streamDenies: {at("denyAssignments", permDenyAssignments, versionAuthorization, "atScope()")},
	}
	if sc.subscription != "" {
		calls[streamResourceGroups] = []call{s.arm(sc.path+"/resourcegroups", permResourceGroups, onScope(sc), versionResourceGroups, "", sc.subscription)}
	}
	if s.configuration.IncludePIM {
		calls[streamEligibleAzure] = []call{at("roleEligibilityScheduleInstances", permRoleAssignments, versionEligible, "atScope()")}
	}
	for _, stream := range streams() {
		for _, one := range calls[stream.Name] {
			var page pageOf[directoryObject]
			if err := c.note(s.client.get(ctx, one, &page), stream.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// note keeps a finding and returns every error that is none: one that ends the
// check.
func (c *check) note(err error, stream string) error {
	e, shut := isDenied(err)
	if !shut {
		return err
	}
	c.findings.Note(e, stream)
	return nil
}

func (c *check) remedy(e *connector.Error) connector.Remediation {
	consent := "Add the application permission to the app registration, and grant admin consent"
	if link := c.session.consentLink(); link != "" {
		consent += ": " + link
	}
	switch {
	case errors.Is(e, errLicence):
		return connector.Remediation{Category: connector.RemedyConfiguration, Message: e.Message, Action: "Switch the option off, or get the licence for the tenant."}
	case e.Category == connector.ConsentRequired:
		return connector.Remediation{Category: connector.RemedyPermissions, Message: e.Message, Action: consent}
	case isGraphPermission(e.Permission):
		return connector.Remediation{Category: connector.RemedyPermissions, Message: "Missing " + e.Permission + " of Microsoft Graph", Action: consent}
	case e.Permission == permSubscriptions:
		return connector.Remediation{
			Category: connector.RemedyPermissions, Message: "Missing " + e.Permission + " on " + e.On + ": no role of Azure reaches it",
			Action: "Assign the role of the permission pack, or Reader, to the application at the tenant root management group; or switch azure_enabled off.",
		}
	}
	return connector.Remediation{
		Category: connector.RemedyPermissions, Message: "Missing " + e.Permission + " on " + e.On,
		Action: "Assign the role of the permission pack, or Reader, to the application at the tenant root management group, so that it is inherited everywhere.",
	}
}

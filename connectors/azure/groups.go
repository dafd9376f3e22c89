package azure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type group struct {
	ID                    string     `json:"id"`
	DisplayName           string     `json:"displayName"`
	Description           string     `json:"description"`
	GroupTypes            []string   `json:"groupTypes"`
	SecurityEnabled       *bool      `json:"securityEnabled"`
	MailEnabled           *bool      `json:"mailEnabled"`
	AssignableToRole      *bool      `json:"isAssignableToRole"`
	Visibility            string     `json:"visibility"`
	MembershipRule        string     `json:"membershipRule"`
	OnPremisesSyncEnabled *bool      `json:"onPremisesSyncEnabled"`
	Created               *time.Time `json:"createdDateTime"`
}

const groupProperties = "id,displayName,description,groupTypes,securityEnabled,mailEnabled,isAssignableToRole,visibility,membershipRule,onPremisesSyncEnabled,createdDateTime"

// versionBeta lists service principals among members and owners of groups, which
// v1.0 leaves out.
const versionBeta = "beta"

func (s *session) groupsCall() call {
	return s.graph("groups", permMembers, 1, "$select", groupProperties, "$top", largestPage)
}

// readGroups reads groups, and of ten at a time members and owners in one batch.
func (s *session) readGroups(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	return eachChunk(ctx, s, s.groupsCall(), from, b, maxBatch/2, func(g group) string { return g.ID }, func(groups []group) error {
		return s.addGroups(ctx, tenant, groups, b)
	})
}

func (s *session) addGroups(ctx context.Context, tenant string, groups []group, b *records.Writer) error {
	var parts []part
	for _, g := range groups {
		members := part{path: "groups/" + g.ID + "/members?$select=id&$top=" + largestPage, permission: permMembers, on: "the tenant", cost: 2}
		if hidden(g) {
			members.permission = permHidden
		}
		parts = append(parts, members, part{path: "groups/" + g.ID + "/owners?$select=id&$top=" + largestPage, permission: permMembers, on: "the tenant", cost: 2})
	}
	answers, err := s.batched(ctx, versionBeta, parts)
	if err != nil {
		return err
	}
	for i, g := range groups {
		addGroup(b, tenant, g)
		err := readPart(ctx, s, versionBeta, parts[2*i], answers[2*i], func(m directoryObject) {
			give(b, m, entitlementRef(g.ID), "", nil, nil)
		})
		if err := partGap(b, err); err != nil {
			return err
		}
		var owners []directoryObject
		err = readPart(ctx, s, versionBeta, parts[2*i+1], answers[2*i+1], func(o directoryObject) { owners = append(owners, o) })
		if err := partGap(b, err); err != nil {
			return err
		}
		ownership(b, owners, resourceRef(g.ID), g.DisplayName, "group_owner", "microsoft.directory/groups/members/update", "microsoft.directory/groups/owners/update")
	}
	return b.Err()
}

// hidden reports whether a group shows its members to those alone who may read
// hidden memberships.
func hidden(g group) bool { return strings.EqualFold(g.Visibility, "HiddenMembership") }

func addGroup(b *records.Writer, tenant string, g group) {
	is := func(v *bool) bool { return v != nil && *v }
	kind := "security_group"
	switch {
	case slices.Contains(g.GroupTypes, "Unified"):
		kind = "microsoft_365_group"
	case is(g.MailEnabled) && is(g.SecurityEnabled):
		kind = "mail_enabled_security_group"
	case is(g.MailEnabled):
		kind = "distribution_group"
	}
	b.Entity(connector.Entity{
		Ref: entitlementRef(g.ID), Name: records.Name(g.DisplayName), Type: kind,
		Attributes: attributes(map[string]any{
			"description": records.Clip(g.Description, 4096), "membership_rule": records.Clip(g.MembershipRule, 8192), "visibility": g.Visibility,
			"role_assignable": is(g.AssignableToRole), "synchronised": is(g.OnPremisesSyncEnabled), "created_at": g.Created,
		}),
	})
	// As a thing that its owners and administrators may change.
	b.Entity(connector.Entity{Ref: resourceRef(g.ID), Name: records.Name(g.DisplayName), Type: "group"})
	b.Relate(connector.BoundaryContains, boundaryRef(tenant), resourceRef(g.ID))
}

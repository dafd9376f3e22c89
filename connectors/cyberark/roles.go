package cyberark

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type role struct {
	ID          string `json:"ID"`
	Name        string `json:"Name"`
	Type        string `json:"RoleType"`
	ReadOnly    bool   `json:"ReadOnly"`
	Description string `json:"Description"`
}

// The types of roles whose members are not listed.
const (
	typeEverybody = "Everybody"
	typeScript    = "Script"
)

func roles() list[role] {
	return list[role]{
		columns: "ID, Name, RoleType, ReadOnly, Description", table: "Role", key: "ID", id: func(r role) string { return r.ID }, right: rightReadRoles,
	}
}

// group is a row of DSGroups, which has the groups of all directories.
type group struct {
	ID        string `json:"InternalName"`
	Name      string `json:"SystemName"`
	Display   string `json:"DisplayName"`
	Instance  string `json:"ServiceInstance"`
	Directory string `json:"DirectoryServiceUuid"`
}

// readGroups reads the groups of directories. Their members stay with the directory.
func (s *session) readGroups(ctx context.Context, from records.Place, b *records.Writer) error {
	if err := s.require(ctx, rightReadUsers); err != nil {
		return err
	}
	groups := list[group]{
		columns: "InternalName, SystemName, DisplayName, ServiceInstance, DirectoryServiceUuid", table: "DSGroups", key: "InternalName",
		id: func(g group) string { return g.ID }, right: rightReadUsers,
	}
	return groups.each(ctx, s, from.Marker, "", func(page []group) error {
		for _, g := range page {
			name := g.Display
			if name == "" {
				name = g.Name
			}
			b.Entity(connector.Entity{
				Ref: entitlementRef(g.ID), Name: records.Name(name), Type: "directory_group",
				Attributes: records.Attributes(map[string]any{"login": records.Name(g.Name), "service_instance": g.Instance, "directory": g.Directory}),
			})
			if err := b.At(records.Place{Step: "groups", Marker: g.ID}); err != nil {
				return err
			}
		}
		return b.Err()
	})
}

// readRoles reads roles, and of each the members: users, groups and other roles. A
// role within another has what the other has.
func (s *session) readRoles(ctx context.Context, from records.Place, b *records.Writer) error {
	if err := s.require(ctx, rightReadRoles); err != nil {
		return err
	}
	some := from.Marker != ""
	err := roles().each(ctx, s, from.Marker, "", func(page []role) error {
		for _, r := range page {
			some = true
			if err := s.addRole(ctx, r, b); err != nil {
				return err
			}
			if err := b.At(records.Place{Step: "roles", Marker: r.ID}); err != nil {
				return err
			}
		}
		return b.Err()
	})
	if err == nil && !some {
		// Every tenant has System Administrator and Everybody.
		return lacking(rightReadRoles)
	}
	return err
}

type member struct {
	ID   string `json:"Guid"`
	Type string `json:"Type"`
}

func (s *session) addRole(ctx context.Context, r role, b *records.Writer) error {
	fields := map[string]any{"description": records.Clip(r.Description, 4096), "role_type": r.Type}
	if r.ReadOnly {
		fields["built_in"] = true
	}
	b.Entity(connector.Entity{Ref: entitlementRef(r.ID), Name: records.Name(r.Name), Type: "role", Attributes: records.Attributes(fields)})
	if strings.EqualFold(r.Type, typeEverybody) {
		return b.Err()
	}
	if strings.EqualFold(r.Type, typeScript) {
		// What a script says of each user cannot be asked.
		return b.Err()
	}
	var got rowsAnswer[member]
	err := post(ctx, s.client, call{path: pathRoleMembers, body: map[string]string{"Name": r.ID}, pattern: patternRoleMembers, right: rightReadRoles}, &got)
	if err := gapOrFail(b, err); err != nil {
		return err
	}
	for _, m := range got.rows() {
		give(b, m.Type, m.ID, entitlementRef(r.ID))
	}
	if !got.complete() {
		b.Gap(connector.Error{Category: connector.ProviderUnavailable, Message: "CyberArk lists only some of the members of a role", On: "role " + r.ID})
	}
	return b.Err()
}

// give adds that a member has an entitlement: a user has it assigned, a group or role
// includes it.
func give(b *records.Writer, kind, id string, what connector.Ref) {
	if id == "" {
		return
	}
	switch strings.ToLower(kind) {
	case memberUser:
		b.Relate(connector.AccountAssignedEntitlement, accountRef(id), what)
	case memberGroup, memberRole:
		b.Relate(connector.EntitlementIncludesEntitlement, entitlementRef(id), what)
	}
}

package aws

import (
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// below keeps what lies under the path prefix that a call gave.
func below[T any](c *call, items []T, path func(T) string) []T {
	prefix := c.form.Get("PathPrefix")
	if prefix == "" || prefix == "/" {
		return items
	}
	var kept []T
	for _, item := range items {
		if strings.HasPrefix(path(item), prefix) {
			kept = append(kept, item)
		}
	}
	return kept
}

// iamList answers a page of a list. asked is what a marker of it belongs to.
func iamList[T any](s *Simulator, c *call, asked, element string, items []T, write func(*xmlDocument, T)) (any, *apiError) {
	p, failure := s.iamPage(c, asked, len(items))
	if failure != nil {
		return nil, failure
	}
	return queryAnswer(c, func(x *xmlDocument) {
		members(x, element, items[p.from:p.to], func(item T) { write(x, item) })
		p.writeMarker(x)
	}), nil
}

func (s *Simulator) listUsers(c *call) (any, *apiError) {
	users := below(c, s.inventory(c).Users, func(u estate.User) string { return u.Path })
	return iamList(s, c, c.form.Get("PathPrefix"), "Users", users, writeUser)
}

// writeUser leaves out tags and boundary, as lists do.
func writeUser(x *xmlDocument, u estate.User) {
	x.text("Path", u.Path)
	x.text("UserName", u.Name)
	x.text("UserId", u.ID)
	x.text("Arn", u.ARN)
	x.time("CreateDate", u.Created)
	if u.Console != nil {
		x.optionalTime("PasswordLastUsed", u.Console.LastUsed)
	}
}

func (s *Simulator) listGroups(c *call) (any, *apiError) {
	groups := below(c, s.inventory(c).Groups, func(g estate.Group) string { return g.Path })
	return iamList(s, c, c.form.Get("PathPrefix"), "Groups", groups, writeGroup)
}

func writeGroup(x *xmlDocument, g estate.Group) {
	x.text("Path", g.Path)
	x.text("GroupName", g.Name)
	x.text("GroupId", g.ID)
	x.text("Arn", g.ARN)
	x.time("CreateDate", g.Created)
}

func (s *Simulator) listRoles(c *call) (any, *apiError) {
	roles := below(c, s.inventory(c).Roles, func(r estate.Role) string { return r.Path })
	return iamList(s, c, c.form.Get("PathPrefix"), "Roles", roles, func(x *xmlDocument, r estate.Role) {
		writeRole(x, r)
		x.optional("Description", r.Description)
		x.number("MaxSessionDuration", int(r.MaxSession.Seconds()))
	})
}

// writeRole leaves out tags, boundary and last use, as lists do.
func writeRole(x *xmlDocument, r estate.Role) {
	x.text("Path", r.Path)
	x.text("RoleName", r.Name)
	x.text("RoleId", r.ID)
	x.text("Arn", r.ARN)
	x.time("CreateDate", r.Created)
	x.document("AssumeRolePolicyDocument", r.Trust.JSON())
}

func (s *Simulator) getGroup(c *call) (any, *apiError) {
	inv, name := s.inventory(c), c.form.Get("GroupName")
	group, ok := inv.Group(name)
	if !ok {
		return nil, noSuchEntity("group", name)
	}
	var users []estate.User
	for _, user := range inv.Users {
		if slices.Contains(user.Groups, name) {
			users = append(users, user)
		}
	}
	p, failure := s.iamPage(c, name, len(users))
	if failure != nil {
		return nil, failure
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.element("Group", func() { writeGroup(x, *group) })
		members(x, "Users", users[p.from:p.to], func(u estate.User) { writeUser(x, u) })
		p.writeMarker(x)
	}), nil
}

func (s *Simulator) listPolicies(c *call) (any, *apiError) {
	inv, scope := s.inventory(c), c.form.Get("Scope")
	var policies []estate.ManagedPolicy
	switch scope {
	case "", "All":
		policies = slices.Concat(inv.Policies, estate.AWSManagedPolicies())
	case "Local":
		policies = inv.Policies
	case "AWS":
		policies = estate.AWSManagedPolicies()
	default:
		return nil, validation("scope", scope)
	}
	if c.form.Get("OnlyAttached") == "true" {
		policies = slices.DeleteFunc(slices.Clone(policies), func(p estate.ManagedPolicy) bool { return inv.Attachments(p.ARN) == 0 })
	}
	policies = below(c, policies, func(p estate.ManagedPolicy) string { return p.Path })
	return iamList(s, c, scope+"/"+c.form.Get("OnlyAttached")+c.form.Get("PathPrefix"), "Policies", policies, func(x *xmlDocument, p estate.ManagedPolicy) {
		writePolicy(x, inv, p)
	})
}

func writePolicy(x *xmlDocument, inv *estate.Inventory, p estate.ManagedPolicy) {
	x.text("PolicyName", p.Name)
	x.text("PolicyId", p.ID)
	x.text("Arn", p.ARN)
	x.text("Path", p.Path)
	x.text("DefaultVersionId", p.DefaultVersion().ID)
	x.number("AttachmentCount", inv.Attachments(p.ARN))
	x.number("PermissionsBoundaryUsageCount", inv.BoundaryUses(p.ARN))
	x.boolean("IsAttachable", p.Path != "/aws-service-role/")
	x.time("CreateDate", p.Created)
	x.time("UpdateDate", p.Updated)
}

func (s *Simulator) getPolicy(c *call) (any, *apiError) {
	inv, arn := s.inventory(c), c.form.Get("PolicyArn")
	found, ok := inv.Policy(arn)
	if !ok {
		return nil, &apiError{"NoSuchEntity", 404, "Policy " + arn + " was not found."}
	}
	return queryAnswer(c, func(x *xmlDocument) {
		x.element("Policy", func() {
			writePolicy(x, inv, *found)
			x.optional("Description", found.Description)
			writeTags(x, found.Tags)
		})
	}), nil
}

func (s *Simulator) getPolicyVersion(c *call) (any, *apiError) {
	arn, id := c.form.Get("PolicyArn"), c.form.Get("VersionId")
	if found, ok := s.inventory(c).Policy(arn); ok {
		for _, version := range found.Versions {
			if version.ID == id {
				return queryAnswer(c, func(x *xmlDocument) {
					x.element("PolicyVersion", func() { writeVersion(x, version) })
				}), nil
			}
		}
	}
	return nil, &apiError{"NoSuchEntity", 404, "Policy " + arn + " version " + id + " does not exist or is not attachable."}
}

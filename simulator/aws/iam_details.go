package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// detailKinds are the filters of GetAccountAuthorizationDetails, in the order
// in which their objects are answered.
func detailKinds() [5]string {
	return [...]string{"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"}
}

// getAccountAuthorizationDetails answers everything in an account, page by
// page; MaxItems counts the objects of all kinds together.
func (s *Simulator) getAccountAuthorizationDetails(c *call) (any, *apiError) {
	wanted, failure := c.detailFilter()
	if failure != nil {
		return nil, failure
	}
	inv := s.inventory(c)
	managed := estate.AWSManagedPolicies()
	lengths := [...]int{len(inv.Users), len(inv.Groups), len(inv.Roles), len(inv.Policies), len(managed)}
	total := 0
	for i, kind := range detailKinds() {
		if !slices.Contains(wanted, kind) {
			lengths[i] = 0
		}
		total += lengths[i]
	}
	p, failure := s.iamPage(c, strings.Join(wanted, ","), total)
	if failure != nil {
		return nil, failure
	}
	// Each kind has the part of the page that overlaps with it.
	var from, to [len(lengths)]int
	start := 0
	for i, length := range lengths {
		from[i] = min(max(p.from-start, 0), length)
		to[i] = min(max(p.to-start, 0), length)
		start += length
	}
	return queryAnswer(c, func(x *xmlDocument) {
		members(x, "UserDetailList", inv.Users[from[0]:to[0]], func(u estate.User) { writeUserDetail(x, u) })
		members(x, "GroupDetailList", inv.Groups[from[1]:to[1]], func(g estate.Group) { writeGroupDetail(x, g) })
		members(x, "RoleDetailList", inv.Roles[from[2]:to[2]], func(r estate.Role) { writeRoleDetail(x, inv, r) })
		x.element("Policies", func() {
			for _, p := range slices.Concat(inv.Policies[from[3]:to[3]], managed[from[4]:to[4]]) {
				x.element("member", func() { writePolicyDetail(x, inv, p) })
			}
		})
		p.writeMarker(x)
	}), nil
}

// detailFilter reads Filter.member.N; none means all kinds.
func (c *call) detailFilter() ([]string, *apiError) {
	kinds := detailKinds()
	var wanted []string
	for n := 1; ; n++ {
		kind := c.form.Get(fmt.Sprintf("Filter.member.%d", n))
		if kind == "" {
			break
		}
		if !slices.Contains(kinds[:], kind) {
			return nil, validation("filter", kind)
		}
		wanted = append(wanted, kind)
	}
	if wanted == nil {
		return kinds[:], nil
	}
	return wanted, nil
}

func writeUserDetail(x *xmlDocument, u estate.User) {
	x.text("Path", u.Path)
	x.text("UserName", u.Name)
	x.text("UserId", u.ID)
	x.text("Arn", u.ARN)
	x.time("CreateDate", u.Created)
	if len(u.Inline) > 0 {
		writeInline(x, "UserPolicyList", u.Inline)
	}
	members(x, "GroupList", u.Groups, func(name string) { x.b.WriteString(name) })
	writeAttached(x, u.Attached)
	writeBoundary(x, u.Boundary)
	writeTags(x, u.Tags)
}

func writeGroupDetail(x *xmlDocument, g estate.Group) {
	writeGroup(x, g)
	writeInline(x, "GroupPolicyList", g.Inline)
	writeAttached(x, g.Attached)
}

func writeRoleDetail(x *xmlDocument, inv *estate.Inventory, r estate.Role) {
	writeRole(x, r)
	x.element("InstanceProfileList", func() {
		if r.InstanceProfile {
			x.element("member", func() { writeInstanceProfile(x, inv, r) })
		}
	})
	writeInline(x, "RolePolicyList", r.Inline)
	writeAttached(x, r.Attached)
	writeBoundary(x, r.Boundary)
	writeTags(x, r.Tags)
	x.element("RoleLastUsed", func() {
		x.optionalTime("LastUsedDate", r.LastUsed)
		x.optional("Region", r.LastRegion)
	})
}

// writeInstanceProfile writes the profile that carries a role: it has the
// role's name, as the console makes it.
func writeInstanceProfile(x *xmlDocument, inv *estate.Inventory, r estate.Role) {
	x.text("Path", r.Path)
	x.text("InstanceProfileName", r.Name)
	x.text("InstanceProfileId", "AIPA"+strings.TrimPrefix(r.ID, "AROA"))
	x.text("Arn", "arn:aws:iam::"+inv.Account.ID+":instance-profile"+r.Path+r.Name)
	x.time("CreateDate", r.Created)
	members(x, "Roles", []estate.Role{r}, func(r estate.Role) { writeRole(x, r) })
}

func writePolicyDetail(x *xmlDocument, inv *estate.Inventory, p estate.ManagedPolicy) {
	writePolicy(x, inv, p)
	x.optional("Description", p.Description)
	members(x, "PolicyVersionList", p.Versions, func(v estate.PolicyVersion) { writeVersion(x, v) })
}

func writeVersion(x *xmlDocument, v estate.PolicyVersion) {
	x.document("Document", v.Document.JSON())
	x.text("VersionId", v.ID)
	x.boolean("IsDefaultVersion", v.Default)
	x.time("CreateDate", v.Created)
}

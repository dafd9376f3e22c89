package cyberark

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/checkup"
)

// check gathers what a check finds.
type check struct {
	session  *session
	findings checkup.Findings
}

// Check verifies the credentials and names the tenant. What the service user may see
// is told by its own rights; every path of the scope is tried with a small call.
func (s *session) Check(ctx context.Context) (connector.CheckResult, error) {
	who, err := s.client.identity(ctx)
	if err != nil {
		return connector.CheckResult{}, err
	}
	c := &check{session: s}
	result := connector.CheckResult{Target: s.target(who), ActsAs: who.user}
	for _, part := range []func(context.Context) error{c.rights, c.directories, c.tables, c.members, c.grants, c.mfa} {
		if err := part(ctx); err != nil {
			return connector.CheckResult{}, err
		}
	}
	result.Streams = c.findings.Outlook(streams(), func(string) bool { return true })
	result.Sufficient = checkup.Sufficient(streams(), result.Streams)
	for _, e := range c.findings.Errors() {
		result.Remediation = append(result.Remediation, c.remedy(e))
	}
	return result, nil
}

// note keeps a missing permission and returns every other error, which ends the check.
func (c *check) note(err error) error {
	e, denied := isDenied(err)
	if !denied {
		return err
	}
	c.findings.Note(e, "")
	return nil
}

func (c *check) rights(ctx context.Context) error {
	own, err := c.session.rights(ctx)
	if err != nil {
		return c.note(err)
	}
	wanted, _ := needed(c.session.configuration)
	for _, right := range wanted {
		if own.has(right) {
			continue
		}
		if err := c.note(lacking(right)); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) directories(ctx context.Context) error {
	_, err := c.session.directories(ctx)
	return c.note(err)
}

// tables tries a query, and whether the rights show what they promise: not even the
// service user itself is seen where they do not.
func (c *check) tables(ctx context.Context) error {
	users := directoryUsers()
	users.columns = "InternalName"
	rows, _, err := users.page(ctx, c.session, "", "", 1)
	if err == nil && len(rows) == 0 {
		err = lacking(rightReadUsers)
	}
	return c.note(err)
}

// members tries the members of a role, and the list of roles with their rights.
func (c *check) members(ctx context.Context) error {
	s := c.session
	rows, _, err := roles().page(ctx, s, "", "", 1)
	if err == nil && len(rows) == 0 {
		err = lacking(rightReadRoles)
	}
	if err := c.note(err); err != nil {
		return err
	}
	role := systemAdministrator
	if s.own != nil && s.own.role != "" {
		role = s.own.role
	}
	var members rowsAnswer[member]
	err = post(ctx, s.client, call{path: pathRoleMembers, body: map[string]string{"Name": role}, pattern: patternRoleMembers, right: rightReadRoles}, &members)
	if err := c.note(err); err != nil {
		return err
	}
	var rights struct {
		Roles rowsAnswer[roleRights] `json:"Roles"`
	}
	found, err := s.directories(ctx)
	if err != nil {
		return c.note(err)
	}
	var ids []string
	for _, d := range found {
		ids = append(ids, d.ID)
	}
	body := map[string]any{"directoryServices": ids, "roles": "{}", "Args": firstPage(1)}
	return c.note(post(ctx, s.client, call{path: pathDirectoryQuery, body: body, pattern: patternDirectoryQuery, right: rightReadRoles}, &rights))
}

// grants tries the permissions on an application: the first one that is shown, which
// is the app that Gatehouse signs in by where no other is.
func (c *check) grants(ctx context.Context) error {
	s := c.session
	rows, _, err := applications().page(ctx, s, "", "", 1)
	if err != nil {
		return c.note(err)
	}
	if len(rows) == 0 {
		return nil
	}
	var found []ace
	body := map[string]any{"RowKey": rows[0].ID, "Table": "Application", "ReduceSysadmin": true}
	return c.note(post(ctx, s.client, call{path: pathRowAces, body: body, pattern: patternRowAces, right: rightReadSystem}, &found))
}

func (c *check) mfa(ctx context.Context) error {
	if !c.session.configuration.IncludeMFA {
		return nil
	}
	who, err := c.session.client.identity(ctx)
	if err != nil {
		return err
	}
	_, err = c.session.cannotAnswer(ctx, who.user)
	return c.note(err)
}

func (*check) remedy(e *connector.Error) connector.Remediation {
	r := connector.Remediation{Category: connector.RemedyPermissions, Message: "Missing " + e.Permission + " on " + e.On}
	switch {
	case isPattern(e.Permission):
		r.Action = "Add the pattern " + e.Permission + " to the allowed REST APIs of the app's scope."
	case e.Permission == rightUsers:
		r.Action = "Give the service user's role the administrative right " + rightUsers + ", or switch include_mfa off."
	default:
		r.Action = "Give the service user's role the administrative right " + e.Permission + " (path " + strings.TrimSpace(enough(e.Permission)[0]) + ")."
	}
	return r
}

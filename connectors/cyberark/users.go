package cyberark

import (
	"context"
	"net/url"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// directoryUser is a row of DSUsers, which has the users of all directories.
type directoryUser struct {
	ID          string `json:"InternalName"`
	Login       string `json:"SystemName"`
	DisplayName string `json:"DisplayName"`
	Email       string `json:"Email"`
	Enabled     *bool  `json:"Enabled"`
	Locked      *bool  `json:"Locked"`
	Instance    string `json:"ServiceInstance"`
	Directory   string `json:"DirectoryServiceUuid"`
	Forest      string `json:"Forest"`
}

// knownUser is a row of User, which has those who have used the service.
type knownUser struct {
	ID          string  `json:"ID"`
	Login       string  `json:"Username"`
	DisplayName string  `json:"DisplayName"`
	Email       string  `json:"Email"`
	Status      string  `json:"StatusEnum"`
	LastLogin   *string `json:"LastLogin"`
	Source      string  `json:"SourceDs"`
	Directory   string  `json:"DirectoryServiceUuid"`
	Forest      string  `json:"Forest"`
}

func directoryUsers() list[directoryUser] {
	return list[directoryUser]{
		columns: "InternalName, SystemName, DisplayName, Email, Enabled, Locked, ServiceInstance, DirectoryServiceUuid, Forest",
		table:   "DSUsers", key: "InternalName", id: func(u directoryUser) string { return u.ID }, right: rightReadUsers,
	}
}

func knownUsers() list[knownUser] {
	return list[knownUser]{
		columns: "ID, Username, DisplayName, Email, StatusEnum, LastLogin, SourceDs, DirectoryServiceUuid, Forest",
		table:   "User", key: "ID", id: func(u knownUser) string { return u.ID }, right: rightReadUsers,
	}
}

// readUsers reads the users of all directories, and what the service knows of those
// who have used it. Both tables are read by the same ranges of ids, so that neither
// has to be held.
func (s *session) readUsers(ctx context.Context, from records.Place, b *records.Writer) error {
	if err := s.require(ctx, rightReadUsers); err != nil {
		return err
	}
	mfa := s.configuration.IncludeMFA
	if mfa {
		err := s.require(ctx, rightUsers)
		if err := gapOrFail(b, err); err != nil {
			return err
		}
		mfa = err == nil
	}
	who, err := s.client.identity(ctx)
	if err != nil {
		return err
	}
	r := usersRead{session: s, b: b, tenant: who.tenant, mfa: mfa}
	after, some := from.Marker, from.Marker != ""
	for {
		rows, last, err := directoryUsers().page(ctx, s, after, "", s.rows)
		if err != nil {
			return err
		}
		upTo := ""
		if !last {
			upTo = rows[len(rows)-1].ID
		}
		known := map[string]knownUser{}
		err = knownUsers().each(ctx, s, after, upTo, func(page []knownUser) error {
			for _, u := range page {
				known[strings.ToLower(u.ID)] = u
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		some = some || len(rows)+len(known) > 0
		if err := r.add(ctx, rows, known); err != nil {
			return err
		}
		if last {
			break
		}
		after = upTo
	}
	if !some {
		// Not even the service user itself: its right does not do what it says.
		return lacking(rightReadUsers)
	}
	return b.Err()
}

// usersRead is what a read of users needs for each.
type usersRead struct {
	session *session
	b       *records.Writer
	tenant  string
	mfa     bool
}

// add adds the users of a range: first those whom no directory has any more, so that
// a read can continue after each of the others.
func (r *usersRead) add(ctx context.Context, rows []directoryUser, known map[string]knownUser) error {
	both := map[string]bool{}
	for _, u := range rows {
		both[strings.ToLower(u.ID)] = true
	}
	for id, k := range known {
		if both[id] {
			continue
		}
		gone := directoryUser{ID: k.ID, Login: k.Login, DisplayName: k.DisplayName, Email: k.Email, Instance: k.Source, Directory: k.Directory, Forest: k.Forest}
		if err := r.user(ctx, gone, &k, false); err != nil {
			return err
		}
	}
	for _, u := range rows {
		var seen *knownUser
		if k, ok := known[strings.ToLower(u.ID)]; ok {
			seen = &k
		}
		if err := r.user(ctx, u, seen, true); err != nil {
			return err
		}
		if err := r.b.At(records.Place{Step: "users", Marker: u.ID}); err != nil {
			return err
		}
	}
	return r.b.Err()
}

// user adds one.
func (r *usersRead) user(ctx context.Context, u directoryUser, known *knownUser, inDirectory bool) error {
	fields := map[string]any{
		"login": records.Name(u.Login), "email": records.Name(u.Email), "directory": u.Directory, "service_instance": u.Instance, "forest": u.Forest,
	}
	if u.Enabled != nil && !*u.Enabled {
		fields["disabled"] = true
	}
	if u.Locked != nil && *u.Locked {
		fields["locked"] = true
	}
	if known == nil {
		fields["used"] = false
	} else {
		fields["status"], fields["last_sign_in_at"] = known.Status, moment(known.LastLogin)
	}
	if !inDirectory {
		fields["not_in_directory"] = true
	}
	if r.mfa {
		blocked, err := r.session.cannotAnswer(ctx, u.ID)
		if denied, is := isDenied(err); is {
			r.b.Gap(*denied)
			r.mfa = false
		} else if err != nil {
			return err
		} else {
			fields["mfa_blocked"] = blocked
		}
	}
	name := u.DisplayName
	if name == "" {
		name = u.Login
	}
	principal := connector.Entity{Ref: principalRef(u.ID), Name: records.Name(name), Type: "person"}
	// Of the cloud directory's and of partners' users CyberArk holds what somebody
	// wrote; of the others what their own directory has.
	typed := !strings.HasPrefix(u.Instance, "AdProxy") && !strings.HasPrefix(u.Instance, "Ldap")
	for _, i := range []connector.Identifier{{Type: connector.UserPrincipalName, Value: strings.ToLower(u.Login)}, {Type: connector.Email, Value: strings.ToLower(u.Email)}} {
		if i.Value != "" {
			i.Unverified = typed
			principal.Identifiers = append(principal.Identifiers, i)
		}
	}
	r.b.Entity(principal)
	r.b.Entity(connector.Entity{Ref: accountRef(u.ID), Name: records.Name(name), Type: userType(u.Instance), Attributes: records.Attributes(fields)})
	r.b.Relate(connector.PrincipalRepresentsAccount, principalRef(u.ID), accountRef(u.ID))
	holder := boundaryRef(r.tenant)
	if u.Directory != "" {
		holder = boundaryRef(u.Directory)
	}
	r.b.Relate(connector.BoundaryContains, holder, accountRef(u.ID))
	return r.b.Err()
}

// userType is what a user is, by the directory that it comes from.
func userType(instance string) string {
	kind, _, _ := strings.Cut(instance, "_")
	switch kind {
	case "CDS":
		return "cloud_user"
	case "AdProxy":
		return "active_directory_user"
	case "LdapProxy", "Ldap":
		return "ldap_user"
	case "FDS":
		return "federated_user"
	}
	return "user"
}

// cannotAnswer asks whether a user cannot answer the challenges that its policy asks
// for; API reference, "Check if user is locked out by policy".
func (s *session) cannotAnswer(ctx context.Context, id string) (blocked bool, err error) {
	of := call{path: pathLockedOut + "?user=" + url.QueryEscape(id), body: struct{}{}, pattern: patternLockedOut, right: rightUsers}
	err = post(ctx, s.client, of, &blocked)
	return blocked, err
}

// readEverybody adds that all users are in the role Everybody, which has no list of
// members.
func (s *session) readEverybody(ctx context.Context, from records.Place, b *records.Writer) error {
	for _, right := range []string{rightReadRoles, rightReadUsers} {
		if err := s.require(ctx, right); err != nil {
			return err
		}
	}
	everybody := roles()
	everybody.only = "RoleType = " + literal(typeEverybody)
	rows, _, err := everybody.page(ctx, s, "", "", s.rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	ids := directoryUsers()
	ids.columns = "InternalName"
	return ids.each(ctx, s, from.Marker, "", func(page []directoryUser) error {
		for _, u := range page {
			for _, role := range rows {
				b.Relationship(connector.Relationship{
					Kind: connector.AccountAssignedEntitlement, From: accountRef(u.ID), To: entitlementRef(role.ID), Key: "everybody",
					Attributes: records.Attributes(map[string]any{"how": "The role holds every user that is not excepted; CyberArk does not list them."}),
				})
			}
			if err := b.At(records.Place{Step: "everybody", Marker: u.ID}); err != nil {
				return err
			}
		}
		return b.Err()
	})
}

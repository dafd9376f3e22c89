package azure

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

type user struct {
	ID                    string     `json:"id"`
	UserPrincipalName     string     `json:"userPrincipalName"`
	Mail                  string     `json:"mail"`
	DisplayName           string     `json:"displayName"`
	AccountEnabled        *bool      `json:"accountEnabled"`
	UserType              string     `json:"userType"`
	ExternalUserState     string     `json:"externalUserState"`
	EmployeeID            string     `json:"employeeId"`
	Department            string     `json:"department"`
	JobTitle              string     `json:"jobTitle"`
	OnPremisesImmutableID string     `json:"onPremisesImmutableId"`
	OnPremisesSyncEnabled *bool      `json:"onPremisesSyncEnabled"`
	Created               *time.Time `json:"createdDateTime"`
	SignIns               *struct {
		Last           *time.Time `json:"lastSignInDateTime"`
		NonInteractive *time.Time `json:"lastNonInteractiveSignInDateTime"`
	} `json:"signInActivity"`
}

const (
	userProperties = "id,userPrincipalName,mail,displayName,accountEnabled,userType,externalUserState,employeeId,department,jobTitle,onPremisesImmutableId,onPremisesSyncEnabled,createdDateTime"
	// largestPage is the largest $top of directory objects.
	largestPage = "999"
	// signInPage is that of users with their sign-ins; Microsoft's own number for it
	// has changed, and 120 was the smallest.
	signInPage = "120"
)

func (s *session) usersCall(signIns bool) call {
	if signIns {
		return s.graph("users", permSignIns, 1, "$select", userProperties+",signInActivity", "$top", signInPage)
	}
	return s.graph("users", permUsers, 1, "$select", userProperties, "$top", largestPage)
}

// readUsers reads users and guests. Where their sign-ins are asked for and may not
// be read, the users are read without.
func (s *session) readUsers(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	tenant, err := s.tenant(ctx)
	if err != nil {
		return err
	}
	take := func(u user) { addUser(b, tenant, u) }
	signIns := s.configuration.IncludeSignInActivity
	held, err := s.client.token(ctx, serviceGraph, false)
	if err != nil {
		return err
	}
	if signIns && !granted(held.claims.Roles, permSignIns) {
		b.Gap(missing(permSignIns))
		signIns = false
	}
	if signIns {
		err := readList(ctx, s, s.usersCall(true), from, b, take)
		e, shut := isDenied(err)
		if !shut {
			return err
		}
		if !granted(held.claims.Roles, permUsers) {
			return s.lacks(permUsers)
		}
		b.Gap(*e)
		from = records.Place{}
	}
	return readList(ctx, s, s.usersCall(false), from, b, take)
}

func addUser(b *records.Writer, tenant string, u user) {
	kind := "entra_user"
	if strings.EqualFold(u.UserType, "Guest") {
		kind = "entra_guest"
	}
	name := u.DisplayName
	if name == "" {
		name = u.UserPrincipalName
	}
	fields := map[string]any{
		"upn": u.UserPrincipalName, "mail": u.Mail, "created_at": u.Created, "department": u.Department, "job_title": u.JobTitle,
		"employee_id": u.EmployeeID, "invitation": u.ExternalUserState, "synchronised": u.OnPremisesSyncEnabled != nil && *u.OnPremisesSyncEnabled,
	}
	if u.AccountEnabled != nil {
		fields["disabled"] = !*u.AccountEnabled
	}
	if u.SignIns != nil {
		fields["last_sign_in_at"], fields["last_non_interactive_sign_in_at"] = u.SignIns.Last, u.SignIns.NonInteractive
	}
	var identifiers []connector.Identifier
	add := func(t connector.IdentifierType, value string) {
		if value = strings.TrimSpace(value); value != "" && len(value) <= connector.MaxNameBytes {
			identifiers = append(identifiers, connector.Identifier{Type: t, Value: value})
		}
	}
	add(connector.ImmutableID, strings.ToLower(u.ID))
	if kind == "entra_user" {
		// A guest's names are chosen elsewhere: a mail address of theirs is no proof.
		add(connector.UserPrincipalName, strings.ToLower(u.UserPrincipalName))
		add(connector.Email, strings.ToLower(u.Mail))
		add(connector.EmployeeID, u.EmployeeID)
	}
	b.Entity(connector.Entity{Ref: principalRef(u.ID), Name: records.Name(name), Type: "person", Identifiers: identifiers})
	b.Entity(connector.Entity{Ref: accountRef(u.ID), Name: records.Name(name), Type: kind, Attributes: attributes(fields)})
	b.Relate(connector.PrincipalRepresentsAccount, principalRef(u.ID), accountRef(u.ID))
	b.Relate(connector.BoundaryContains, boundaryRef(tenant), accountRef(u.ID))
}

package client_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// document is what these tests need of the checked-in OpenAPI document, which
// is generated from the operations themselves.
type document struct {
	Paths map[string]map[string]struct {
		Parameters []struct{ Name, In string }
	}
	Components struct {
		Schemas map[string]struct{ Properties map[string]any }
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	raw, err := os.ReadFile("../../docs/openapi.json")
	require.NoError(t, err)
	var d document
	require.NoError(t, json.Unmarshal(raw, &d))
	return d
}

// TestFieldsAreTheDocuments holds every field of the client's types to the
// document, so that a renamed field is found here and not by an empty column.
func TestFieldsAreTheDocuments(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for schema, value := range map[string]any{
		"Integration": client.Integration{}, "Connection": client.Connection{}, "ConnectionDraft": client.ConnectionDraft{},
		"ConnectionPatch": client.ConnectionPatch{}, "ConnectionSchedule": client.Schedule{}, "ConnectionTarget": client.Target{},
		"ConnectionTestResult": client.ConnectionTest{}, "ConnectionRemediation": client.Remediation{},
		"ConnectionStreamOutlook": client.StreamOutlook{},
		"Run":                     client.Run{}, "RunCoverage": client.Coverage{}, "RunFailureSummary": client.Failure{}, "RunNextStep": client.NextStep{},
		"RunProgress": client.Progress{}, "OperationStartResult": client.StartResult{}, "OperationRunRef": client.RunReference{},
		"Operation": client.Operation{}, "OperationInput": client.OperationInput{}, "OperationList": client.OperationList{},
		"OperationConnectionRef": client.ConnectionReference{}, "OperationStartRequest": client.StartRequest{},
		"Entity": client.Entity{}, "EntityRef": client.EntityRef{}, "Access": client.Access{}, "AccessPrincipals": client.Basis{},
		"AccessResources": client.Basis{}, "Coverage": client.GraphCoverage{}, "CoverageStream": client.StreamCoverage{},
		"CoverageGap": client.Gap{}, "AccessPath": client.Path{}, "AccessStep": client.Step{}, "AccessEdge": client.Edge{},
		"AccessRoute": client.Route{}, "AccessDecisionStep": client.DecisionStep{}, "AccessDecisionLayer": client.DecisionLayer{},
		"AccessDecidingStatement": client.DecidingStatement{}, "AccessDecisionNeed": client.DecisionNeed{},
		"Change": client.Change{}, "ChangeRelationship": client.ChangeRelationship{}, "ChangeField": client.ChangeField{}, "ChangeSummary": client.ChangeSummary{},
		"AuditEvent": client.AuditEvent{}, "WorkspaceAPIKey": client.APIKey{}, "WorkspaceCreatedAPIKey": client.CreatedAPIKey{},
		"WorkspaceKeyDraft": client.APIKeyDraft{}, "WorkspaceSignIn": client.SignIn{}, "WorkspaceSessionDraft": client.SessionDraft{}, "WorkspaceCreatedSession": client.CreatedSession{},
		"WorkspacePerson": client.Person{}, "WorkspaceSession": client.Session{}, "WorkspaceIdentity": client.Identity{},
		"WorkspaceMembership": client.Membership{}, "WorkspaceMember": client.Member{}, "WorkspaceInvitation": client.Invitation{},
		"WorkspaceInvitationDraft": client.InvitationDraft{}, "WorkspaceClaimMapping": client.ClaimMapping{},
		"WorkspaceClaimMappingDraft": client.ClaimMappingDraft{}, "Workspace": client.Workspace{}, "WorkspaceCreated": client.CreatedWorkspace{},
		"WorkspaceDraft": client.WorkspaceDraft{}, "WorkspaceTransfer": client.Transfer{},
		"OnboardingSession": client.Onboarding{}, "OnboardingStep": client.OnboardingStep{}, "OnboardingVerification": client.Verification{},
		"OnboardingOperation": client.OnboardingOperation{}, "OnboardingBootstrapOutcome": client.BootstrapOutcome{},
		"IntegrationPermissions": client.Permissions{}, "IntegrationPermissionPack": client.PermissionPack{},
		"Export": client.Export{}, "ExportQuery": client.ExportQuery{}, "AuditProof": client.AuditProof{},
		"ErrorModel": client.Problem{}, "ErrorDetail": client.ProblemField{},
	} {
		properties := d.Components.Schemas[schema].Properties
		require.NotEmpty(t, properties, "the document has no schema %s", schema)
		for _, field := range reflect.VisibleFields(reflect.TypeOf(value)) {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
				require.Contains(t, properties, name, "%T.%s", value, field.Name)
			}
		}
	}
}

// TestCallsAreTheDocuments makes every call with every filter and holds method,
// path and parameters to the document.
func TestCallsAreTheDocuments(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	called := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called <- r
		write(w, http.StatusTeapot, `{}`)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, secret.Secret{}, "1")
	require.NoError(t, err)
	ctx, pages := t.Context(), client.Pages{Limit: 1}
	access := client.AccessFilter{Action: "a", Access: "direct", Type: "t", Count: true, AsOf: "m"}
	for _, call := range []func() error{
		func() error { _, err := c.Permissions(ctx, "id", "{}", "{}"); return err },
		func() error { _, err := c.StartOnboarding(ctx, "aws"); return err },
		func() error {
			_, err := c.OnboardingSessions(ctx, client.OnboardingFilter{Status: "open", Integration: "aws", Mine: true}, pages)
			return err
		},
		func() error { _, err := c.Onboarding(ctx, "id"); return err },
		func() error { _, err := c.PickConnection(ctx, "id", "conn_1"); return err },
		func() error { _, err := c.VerifyOnboarding(ctx, "id"); return err },
		func() error { _, err := c.Bootstrap(ctx, "id", "conn_1", []string{"discovery.run"}); return err },
		func() error { _, err := c.ResumeOnboarding(ctx, "id"); return err },
		func() error { _, err := c.AbandonOnboarding(ctx, "id"); return err },
		func() error { _, err := c.Integrations(ctx, pages); return err },
		func() error { _, err := c.Integration(ctx, "id"); return err },
		func() error {
			_, err := c.Connections(ctx, client.ConnectionFilter{
				Integration: "aws", Target: "tgt_1", Status: "healthy", Lifecycle: "active", NamePrefix: "p", Default: true,
			}, pages)
			return err
		},
		func() error { _, err := c.Connection(ctx, "id"); return err },
		func() error {
			_, err := c.CreateConnection(ctx, client.ConnectionDraft{}, "7f0c2f0a-6f0e-4ad6")
			return err
		},
		func() error { _, err := c.EditConnection(ctx, "id", 1, client.ConnectionPatch{}); return err },
		func() error { return c.DeleteConnection(ctx, "id", 0) },
		func() error { _, err := c.MakeDefault(ctx, "id"); return err },
		func() error { _, err := c.Targets(ctx, pages); return err },
		func() error { _, err := c.TestConnection(ctx, "id"); return err },
		func() error { _, err := c.ConnectionTests(ctx, "id", pages); return err },
		func() error { _, err := c.StartOperation(ctx, "id", "conn_1"); return err },
		func() error { _, err := c.Operations(ctx); return err },
		func() error { _, err := c.Start(ctx, "id", client.StartRequest{Target: "tgt_1"}); return err },
		func() error {
			_, err := c.Runs(ctx, client.RunFilter{Connection: "c", Operation: "o", Status: "s", Outcome: "o"}, pages)
			return err
		},
		func() error { _, err := c.Run(ctx, "id", 1); return err },
		func() error { _, err := c.CancelRun(ctx, "id"); return err },
		func() error {
			f := client.EntityFilter{Connection: "c", Kind: "k", Type: "t", Name: "n", NamePrefix: "p", ProviderID: "i", AsOf: "a"}
			_, err := c.Entities(ctx, f, pages)
			return err
		},
		func() error { _, err := c.Entity(ctx, "id", "run_1"); return err },
		func() error { _, err := c.WhoCan(ctx, "id", access, pages); return err },
		func() error { _, err := c.WhatCan(ctx, "id", access, pages); return err },
		func() error {
			_, err := c.Changes(ctx, client.ChangeFilter{From: "f", To: "t", Run: "r", Connection: "c", Kind: "k", Subject: "s"}, pages)
			return err
		},
		func() error { _, err := c.Paths(ctx, "a", "b", 1, 1, "run_1"); return err },
		func() error {
			_, err := c.AuditEvents(ctx, client.AuditFilter{
				Action: "a", Outcome: "o", TargetType: "t", TargetID: "i", Actor: "m", Since: &time.Time{}, Until: &time.Time{},
			}, pages)
			return err
		},
		func() error { _, _, err := c.AuditEventsPage(ctx, "c"); return err },
		func() error { _, err := c.AuditLog(ctx); return err },
		func() error { _, err := c.ExportAuditEvents(ctx, client.AuditFilter{}, 1, io.Discard); return err },
		func() error { _, err := c.AuditCheckpoints(ctx, 1); return err },
		func() error { _, err := c.AuditLogEntries(ctx, 1); return err },
		func() error { _, err := c.APIKeys(ctx, pages); return err },
		func() error { _, err := c.CreateAPIKey(ctx, client.APIKeyDraft{}); return err },
		func() error { return c.RevokeAPIKey(ctx, "id") },
		func() error { _, err := c.SignInSettings(ctx); return err },
		func() error { _, err := c.CreateSession(ctx, client.SessionDraft{}); return err },
		func() error { _, err := c.WhoAmI(ctx); return err },
		func() error { return c.SignOut(ctx, true) },
		func() error { _, err := c.Members(ctx, pages); return err },
		func() error { _, err := c.SetMemberRole(ctx, "id", "r"); return err },
		func() error { return c.RemoveMember(ctx, "id") },
		func() error { _, err := c.Invitations(ctx, pages); return err },
		func() error { _, err := c.Invite(ctx, client.InvitationDraft{}); return err },
		func() error { return c.RevokeInvitation(ctx, "id") },
		func() error { _, err := c.ClaimMappings(ctx, pages); return err },
		func() error { _, err := c.CreateClaimMapping(ctx, client.ClaimMappingDraft{}); return err },
		func() error { return c.DeleteClaimMapping(ctx, "id") },
		func() error { _, err := c.Workspaces(ctx, pages); return err },
		func() error { _, err := c.TenantWorkspaces(ctx, pages); return err },
		func() error { _, err := c.CreateWorkspace(ctx, client.WorkspaceDraft{}); return err },
		func() error { _, err := c.ArchiveWorkspace(ctx, "id"); return err },
		func() error { _, err := c.UnarchiveWorkspace(ctx, "id"); return err },
		func() error { _, err := c.TransferWorkspace(ctx, "id", client.Transfer{}); return err },
	} {
		require.Error(t, call())
		d.requireOperation(t, <-called)
	}
}

func (d document) requireOperation(t *testing.T, r *http.Request) {
	t.Helper()
	for path, methods := range d.Paths {
		pattern := "^" + regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(path, `(id|connection\.test)`) + "$"
		operation, ok := methods[strings.ToLower(r.Method)]
		if !ok || !regexp.MustCompile(pattern).MatchString(r.URL.Path) {
			continue
		}
		known := map[string]bool{}
		for _, p := range operation.Parameters {
			known[p.In+" "+p.Name] = true
		}
		for name := range r.URL.Query() {
			require.True(t, known["query "+name], "%s %s has no parameter %s", r.Method, path, name)
		}
		return
	}
	require.Fail(t, "the document has no such operation", "%s %s", r.Method, r.URL.Path)
}

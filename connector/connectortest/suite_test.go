package connectortest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
)

// files is the smallest connector that keeps the contract: it reads people and
// who may read which file from a made-up provider.
type files struct{}

const emptyObject = `{"type":"object","additionalProperties":false}`

func (files) Manifest() connector.Manifest {
	need := func(name string) []connector.Permission {
		return []connector.Permission{{Name: name, Why: "reads it"}}
	}
	return connector.Manifest{
		IntegrationID: "files", ConnectorID: "files-discovery", Name: "Files", ProviderSystem: "files", ConnectorType: "discovery",
		Version: "1.0.0", ContractVersion: connector.ContractVersion, Status: connector.Beta, ConfigurationVersion: "1",
		Configuration: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{
			"denied":{"title":"Denied","description":"Permission that is missing.","type":"string"},
			"every":{"title":"Throttled","description":"Which of the calls is refused.","type":"integer"}}}`),
		Scope:     json.RawMessage(emptyObject),
		AuthTypes: []connector.AuthType{{ID: "none", Name: "None"}},
		ThrottleScopes: []connector.ThrottleScope{{
			Name: "disk", Description: "Lists", Key: []string{"disk"}, Limit: connector.ThrottleLimit{Calls: 10, PerSeconds: 1, Burst: 10},
		}},
		LimitsBlindSpots: []string{"Everything that is not a file."},
		Streams: []connector.Stream{
			{Name: "people", Description: "Accounts", Entities: []connector.EntityKind{connector.Account}, Permissions: need("people:List")},
			{
				Name: "files", Description: "Files and who reads them", Permissions: need("files:List"), DependsOn: []string{"people"},
				Entities:      []connector.EntityKind{connector.Entitlement, connector.Resource},
				Relationships: []connector.RelationshipKind{connector.AccountAssignedEntitlement, connector.EntitlementGrantsResource},
			},
		},
	}
}

func (f files) Open(_ context.Context, s connector.Settings) (connector.Session, error) {
	session := &filesSession{manifest: f.Manifest(), budget: s.Budget}
	if session.budget == nil {
		session.budget = connector.Unlimited{}
	}
	if err := json.Unmarshal(s.Configuration, &session.configuration); err != nil {
		return nil, &connector.Error{Category: connector.ScopeInvalid, Message: "the configuration is no object", Cause: err}
	}
	return session, nil
}

type filesSession struct {
	manifest      connector.Manifest
	configuration struct {
		Denied string `json:"denied"`
		Every  int    `json:"every"`
	}
	budget connector.Budget
	calls  int
}

// use is what each list takes.
func (*filesSession) use() connector.Use { return connector.Use{Scope: "disk", Key: []string{"1"}} }

// refused answers as the provider would: nothing, denied, or throttled.
func (s *filesSession) refused(stream string) *connector.Error {
	s.calls++
	permission := stream + ":List"
	switch {
	case s.configuration.Denied == permission:
		return &connector.Error{Category: connector.PermissionDenied, Message: "missing " + permission, Permission: permission}
	case s.configuration.Every > 0 && s.calls%s.configuration.Every == 0:
		return &connector.Error{Category: connector.Throttled, Message: "too fast"}
	}
	return nil
}

func (s *filesSession) Check(context.Context) (connector.CheckResult, error) {
	result := connector.CheckResult{Target: connector.Target{ID: "1", Type: "disk"}, Sufficient: true}
	for _, stream := range s.manifest.Streams {
		o := connector.StreamOutlook{Stream: stream.Name, Coverage: connector.Complete}
		if e := s.refused(stream.Name); e != nil {
			o.Coverage, o.Missing, result.Sufficient = connector.Partial, []string{e.Permission}, false
			result.Remediation = append(result.Remediation, connector.Remediation{Category: connector.RemedyPermissions, Message: "Missing " + e.Permission, Action: "Add it."})
		}
		result.Streams = append(result.Streams, o)
	}
	return result, nil
}

func (s *filesSession) Plan(context.Context) (connector.Plan, error) {
	return connector.Plan{Partitions: []connector.Partition{{Stream: "people"}, {Stream: "files", Key: "a"}, {Stream: "files", Key: "b"}}, Complete: true}, nil
}

func (s *filesSession) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	const pages = 5
	first := 0
	if from != "" {
		n, err := strconv.Atoi(string(from))
		if err != nil {
			return &connector.Error{Category: connector.ContractViolation, Message: "the cursor is no number", Cause: err}
		}
		first = n
	}
	for n := first; n < pages; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		release, err := s.budget.Take(ctx, s.use())
		if err != nil {
			return err
		}
		e := s.refused(p.Stream)
		release()
		page := connector.Page{}
		switch {
		case e != nil && e.Category == connector.PermissionDenied:
			return to.Write(ctx, connector.Page{Gaps: []connector.Error{*e}})
		case e != nil:
			s.budget.Throttled(ctx, 0, s.use())
			return e
		}
		person := connector.Ref{Kind: connector.Account, ID: fmt.Sprintf("person-%d", n)}
		if p.Stream == "people" {
			page.Entities = []connector.Entity{{Ref: person}}
		} else {
			reader := connector.Ref{Kind: connector.Entitlement, ID: fmt.Sprintf("reader-%s-%d", p.Key, n)}
			file := connector.Ref{Kind: connector.Resource, ID: fmt.Sprintf("file-%s-%d", p.Key, n)}
			page.Entities = []connector.Entity{{Ref: reader}, {Ref: file}}
			page.Relationships = []connector.Relationship{
				{Kind: connector.AccountAssignedEntitlement, From: person, To: reader},
				{Kind: connector.EntitlementGrantsResource, From: reader, To: file},
			}
		}
		if n < pages-1 {
			page.Next = connector.Cursor(strconv.Itoa(n + 1))
		}
		if err := to.Write(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

func (*filesSession) Close() error { return nil }

// TestRun runs the whole suite on a connector that keeps the contract.
func TestRun(t *testing.T) {
	t.Parallel()
	with := func(configuration string) connector.Settings {
		return connector.Settings{Configuration: json.RawMessage(configuration)}
	}
	connectortest.Run(t, connectortest.Subject{
		Connector: files{},
		Settings:  func(testing.TB) connector.Settings { return with(`{}`) },
		Deny: func(_ testing.TB, permission string) (connector.Settings, bool) {
			return with(`{"denied":"` + permission + `"}`), true
		},
		Throttle: func(testing.TB) connector.Settings { return with(`{"every":3}`) },
	})
}

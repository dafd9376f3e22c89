package ocsf

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
)

// Version is OCSF's.
const Version = "1.3.0"

// ContentType is of one event, BatchContentType of a JSON array of them.
const (
	ContentType      = "application/cloudevents+json"
	BatchContentType = "application/cloudevents-batch+json"
)

// envelope is a CloudEvent in structured mode.
type envelope struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitempty"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	DataSchema      string `json:"dataschema"`
	// Sequence is CloudEvents' extension: digits that sort as text.
	Sequence string `json:"sequence"`
	Data     event  `json:"data"`
}

// event has the attributes of all classes that are used; each event has those of
// its own.
type event struct {
	ActivityID   int               `json:"activity_id"`
	ActivityName string            `json:"activity_name"`
	CategoryUID  int               `json:"category_uid"`
	ClassUID     int               `json:"class_uid"`
	TypeUID      int               `json:"type_uid"`
	Time         int64             `json:"time"`
	SeverityID   int               `json:"severity_id"`
	StatusID     int               `json:"status_id"`
	StatusCode   string            `json:"status_code"`
	Message      string            `json:"message"`
	Metadata     metadata          `json:"metadata"`
	Actor        actor             `json:"actor"`
	Entity       *entity           `json:"entity,omitempty"`
	User         *user             `json:"user,omitempty"`
	Service      *service          `json:"service,omitempty"`
	API          *api              `json:"api,omitempty"`
	Resources    []entity          `json:"resources,omitempty"`
	SrcEndpoint  map[string]string `json:"src_endpoint,omitempty"`
	Unmapped     unmapped          `json:"unmapped"`
}

type metadata struct {
	Version   string  `json:"version"`
	Product   product `json:"product"`
	UID       string  `json:"uid"`
	EventCode string  `json:"event_code"`
	TenantUID string  `json:"tenant_uid"`
	Sequence  int64   `json:"sequence"`
}

type product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
}

type actor struct {
	User    *user  `json:"user,omitempty"`
	AppName string `json:"app_name,omitempty"`
}

type user struct {
	UID   string `json:"uid,omitempty"`
	Email string `json:"email_addr,omitempty"`
}

type service struct {
	Name string `json:"name"`
}

type entity struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type api struct {
	Operation string `json:"operation"`
}

type unmapped struct {
	WorkspaceID string          `json:"workspace_id"`
	ActorKind   string          `json:"actor_kind"`
	ActorID     string          `json:"actor_id"`
	TargetType  string          `json:"target_type"`
	TargetID    string          `json:"target_id"`
	Transaction uint64          `json:"transaction"`
	Payload     json.RawMessage `json:"payload"`
}

// OCSF's severities and statuses.
const (
	informational = 1
	low           = 2
	medium        = 3

	success = 1
	failure = 2
)

// Marshal returns the event of a log's entry as one JSON object without a line
// break.
func Marshal(entry int64, r audit.Record) ([]byte, error) {
	act := activityOf(r.Action)
	e := event{
		ActivityID: act.id, ActivityName: act.name, CategoryUID: act.class.uid / 1000, ClassUID: act.class.uid, TypeUID: act.class.uid*100 + act.id,
		Time: r.CreatedAt.UnixMilli(), SeverityID: severity(r), StatusID: success, StatusCode: string(r.Outcome),
		Message: fmt.Sprintf("%s %s: %s %s", r.Action, r.Outcome, r.TargetType, r.TargetID),
		Metadata: metadata{
			Version: Version, Product: product{Name: "Gatehouse", VendorName: "Gatehouse"}, UID: r.ID.String(), EventCode: string(r.Action),
			TenantUID: r.Scope.Tenant.String(), Sequence: entry,
		},
		Unmapped: unmapped{
			WorkspaceID: r.Scope.Workspace.String(), ActorKind: string(r.Actor.Kind), ActorID: r.Actor.ID, TargetType: r.TargetType,
			TargetID: r.TargetID, Transaction: r.Transaction, Payload: r.Payload,
		},
	}
	if r.Outcome != audit.Succeeded {
		e.StatusID = failure
	}
	switch r.Actor.Kind {
	case audit.MemberActor, audit.TenantActor, audit.PersonActor:
		e.Actor.User = &user{UID: r.Actor.ID}
	default:
		e.Actor.AppName = string(r.Actor.Kind) + "/" + r.Actor.ID
	}
	e.describe(act, r)
	line, err := json.Marshal(envelope{
		SpecVersion: "1.0", ID: r.ID.String(), Source: "/" + auditlog.Origin(r.Scope), Type: "dev.gatehouse.audit." + string(r.Action), Subject: r.TargetID,
		Time: r.CreatedAt.UTC().Format(time.RFC3339Nano), DataContentType: "application/json",
		DataSchema: "https://schema.ocsf.io/" + Version + "/classes/" + act.class.name, Sequence: fmt.Sprintf("%019d", entry), Data: e,
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s for export: %w", r.ID, err)
	}
	return line, nil
}

// describe sets what the event's class asks for beside the attributes of all.
func (e *event) describe(act activity, r audit.Record) {
	switch act.class.uid {
	case 3001:
		e.User = &user{UID: r.TargetID}
	case 3002:
		e.User = signingIn(r)
		// The class asks for what was signed in to.
		e.Service = &service{Name: "gatehouse"}
	case 3004:
		e.Entity = &entity{Type: r.TargetType, UID: r.TargetID}
	default:
		e.API = &api{Operation: string(r.Action)}
		e.Resources = []entity{{Type: r.TargetType, UID: r.TargetID}}
		// The class asks for where the call came from; addresses are not recorded.
		e.SrcEndpoint = map[string]string{"svc_name": "gatehouse", "uid": r.Actor.ID}
	}
}

// signingIn is the person, or, where nobody is known yet, whom the identity
// provider named.
func signingIn(r audit.Record) *user {
	if r.TargetID != "" {
		return &user{UID: r.TargetID}
	}
	var named struct{ Subject, Email string }
	if json.Unmarshal(r.Payload, &named) != nil || named.Subject == "" {
		return &user{UID: "unknown"}
	}
	return &user{UID: named.Subject, Email: named.Email}
}

func severity(r audit.Record) int {
	switch {
	case r.Outcome == audit.Denied:
		return medium
	case r.Outcome == audit.Failed, r.Action == audit.ConfigurationDisclosed, r.Action == audit.CredentialDisclosed:
		return low
	}
	return informational
}

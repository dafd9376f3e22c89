package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// actions are all that there are, in the order in which they are declared.
var actions = []Action{
	ConnectionCreated, ConnectionEdited, ConnectionDeleted, ConnectionTested,
	SchedulePaused, ScheduleResumed,
	ConfigurationDisclosed, CredentialDisclosed, CredentialRenewed, CredentialRefused,
	RunAccepted, RunBlocked, RunStarted, RunSucceeded, RunPartiallySucceeded, RunFailed, RunCancelRequested, RunCancelled, RunsRemoved, HistoryRemoved,
	OnboardingStarted, OnboardingConnectionPicked, OnboardingVerificationStarted, OnboardingBootstrapStarted, OnboardingResumed, OnboardingStopped,
	OnboardingCompleted, OnboardingAbandoned,
	WorkspaceCreated, APIKeyCreated, APIKeyRevoked,
	LicenceInstalled, CredentialsRewrapped, EncryptionKeyRegistered, EncryptionKeyRetired,
	WebhookCreated, WebhookEdited, WebhookDeleted, WebhookSecretRotated, WebhookPinged, WebhookReplayed, WebhookDisabled,
	AuditExported,
	ExportRequested, ExportCompleted, ExportFailed, ExportCancelled, ExportDownloaded, ExportDeleted,
	IdentitiesJoined, IdentitySplit, IdentitySourceTrusted, IdentitySourceNotTrusted,
	ThrottleLimitSet, ThrottleLimitCleared,
	AccessDenied,
	SignedIn, SignInRefused, SignedOut,
	MemberInvited, InvitationAccepted, InvitationRevoked, MemberJoined, MemberRoleChanged, MemberRemoved,
	ClaimMappingCreated, ClaimMappingDeleted,
	WorkspaceArchived, WorkspaceUnarchived, WorkspaceTransferred,
	WorkspacesListed, AuditEventsRead,
}

// targetTypes are all that an event can be about.
var targetTypes = []string{
	"api_operation", "audit_log", "claim_mapping", "connection", "encryption_key", "export", "identity", "invitation", "licence", "member",
	"onboarding", "person", "run", "tenant", "throttle_scope", "webhook", "workspace",
}

// Actions returns every action that is recorded.
func Actions() []Action { return slices.Clone(actions) }

// TargetTypes returns every sort of thing that an event can be about.
func TargetTypes() []string { return slices.Clone(targetTypes) }

// Check refuses an event that no filter could ask for: what it says was done, or
// on what, is not in [Actions] or [TargetTypes].
func (e Event) Check() error {
	if !slices.Contains(actions, e.Action) {
		return fmt.Errorf("the audit event has the action %q, which is not declared", e.Action)
	}
	if !slices.Contains(targetTypes, e.TargetType) {
		return fmt.Errorf("the audit event %s is about the target type %q, which is not declared", e.Action, e.TargetType)
	}
	return nil
}

// Check refuses what could never be found, as Invalid fields of the query: a
// mistyped name would answer like one of which nothing was recorded, and an end
// that is not after the beginning leaves no time between.
func (f Filter) Check() error {
	var wrong []fault.Field
	refuse := func(name, message string) {
		wrong = append(wrong, fault.Field{Path: "query." + name, Message: message})
	}
	if f.Action != "" && !slices.Contains(actions, f.Action) {
		refuse("action", meant(string(f.Action), "no action", "actions are called after what was done, such as connection_created; the operations manual lists them", actions))
	}
	if f.TargetType != "" && !slices.Contains(targetTypes, f.TargetType) {
		refuse("target_type", meant(f.TargetType, "nothing that events are about", "they are about "+strings.Join(targetTypes, ", "), targetTypes))
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		refuse("until", "must be later than since")
	}
	if len(wrong) == 0 {
		return nil
	}
	return fault.InvalidFields(wrong...)
}

func meant[T ~string](given, none, otherwise string, known []T) string {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	if near := nearest.Name(given, names); near != "" {
		return fmt.Sprintf("is %s; did you mean %s?", none, near)
	}
	return fmt.Sprintf("is %s; %s", none, otherwise)
}

package audit

import (
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Action is what was done.
type Action string

// The actions.
const (
	ConnectionCreated Action = "connection_created"
	ConnectionEdited  Action = "connection_edited"
	ConnectionDeleted Action = "connection_deleted"
	ConnectionTested  Action = "connection_tested"

	SchedulePaused  Action = "schedule_paused"
	ScheduleResumed Action = "schedule_resumed"

	ConfigurationDisclosed Action = "configuration_disclosed"
	// CredentialDisclosed is of a secret that one worker is to exchange at the
	// provider, CredentialRenewed of what it was given for it.
	CredentialDisclosed Action = "credential_disclosed"
	CredentialRenewed   Action = "credential_renewed"
	CredentialRefused   Action = "credential_refused"

	RunAccepted           Action = "run_accepted"
	RunBlocked            Action = "run_blocked"
	RunStarted            Action = "run_started"
	RunSucceeded          Action = "run_succeeded"
	RunPartiallySucceeded Action = "run_partially_succeeded"
	RunFailed             Action = "run_failed"
	RunCancelRequested    Action = "run_cancel_requested"
	RunCancelled          Action = "run_cancelled"
	// RunsRemoved is of retention: how many, not which.
	RunsRemoved Action = "runs_removed"
	// HistoryRemoved is of retention: how many versions of the graph, and from
	// when on its history is kept.
	HistoryRemoved Action = "history_removed"

	OnboardingStarted             Action = "onboarding_started"
	OnboardingConnectionPicked    Action = "onboarding_connection_picked"
	OnboardingVerificationStarted Action = "onboarding_verification_started"
	OnboardingBootstrapStarted    Action = "onboarding_bootstrap_started"
	OnboardingResumed             Action = "onboarding_resumed"
	OnboardingStopped             Action = "onboarding_stopped"
	OnboardingCompleted           Action = "onboarding_completed"
	OnboardingAbandoned           Action = "onboarding_abandoned"

	WorkspaceCreated Action = "workspace_created"
	APIKeyCreated    Action = "api_key_created"
	APIKeyRevoked    Action = "api_key_revoked"

	LicenceInstalled        Action = "licence_installed"
	CredentialsRewrapped    Action = "credentials_rewrapped"
	EncryptionKeyRegistered Action = "encryption_key_registered"
	EncryptionKeyRetired    Action = "encryption_key_retired"

	WebhookCreated       Action = "webhook_created"
	WebhookEdited        Action = "webhook_edited"
	WebhookDeleted       Action = "webhook_deleted"
	WebhookSecretRotated Action = "webhook_secret_rotated"
	WebhookPinged        Action = "webhook_pinged"
	WebhookReplayed      Action = "webhook_replayed"
	// WebhookDisabled is what the system does about an endpoint that is gone or
	// fails for long.
	WebhookDisabled Action = "webhook_disabled"

	AuditExported Action = "audit_exported"

	ExportRequested Action = "export_requested"
	// ExportCompleted holds the hash of the file; evidence rests on it.
	ExportCompleted  Action = "export_completed"
	ExportFailed     Action = "export_failed"
	ExportCancelled  Action = "export_cancelled"
	ExportDownloaded Action = "export_downloaded"
	// ExportDeleted is of a member, or of the system when the export was kept long
	// enough.
	ExportDeleted            Action = "export_deleted"
	IdentitiesJoined         Action = "identities_joined"
	IdentitySplit            Action = "identity_split"
	IdentitySourceTrusted    Action = "identity_source_trusted"
	IdentitySourceNotTrusted Action = "identity_source_not_trusted"

	ThrottleLimitSet     Action = "throttle_limit_set"
	ThrottleLimitCleared Action = "throttle_limit_cleared"

	AccessDenied Action = "access_denied"
)

// Outcome is how an action ended.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	Denied    Outcome = "denied"
)

// ActorKind says what sort of actor acted.
type ActorKind string

// The actor kinds.
const (
	MemberActor ActorKind = "member"
	// TenantActor is a member of the tenant level that acts on a workspace.
	TenantActor ActorKind = "tenant"
	// PersonActor is someone who signs in, as which they are in no workspace yet.
	PersonActor ActorKind = "person"
	WorkerActor ActorKind = "worker"
	SystemActor ActorKind = "system"
)

// Actor is who acted: a member or a person by its id, a worker by its name, or
// a part of the system by its name.
type Actor struct {
	Kind ActorKind
	ID   string
}

// Member returns the actor for a member.
func Member(m id.Member) Actor { return Actor{MemberActor, m.String()} }

// Tenant returns the actor for a member of the tenant level.
func Tenant(m id.Member) Actor { return Actor{TenantActor, m.String()} }

// Person returns the actor for someone who signs in or out.
func Person(p id.Person) Actor { return Actor{PersonActor, p.String()} }

// Worker returns the actor for a worker process.
func Worker(name string) Actor { return Actor{WorkerActor, name} }

// System returns the actor for a part of the system, such as "schedule".
func System(part string) Actor { return Actor{SystemActor, part} }

// Event is one significant action. An id that the action itself creates may be
// left empty in TargetID; the store that creates the row fills it in.
type Event struct {
	Actor      Actor
	Action     Action
	Outcome    Outcome
	TargetType string
	TargetID   string
	// Payload explains the action. It never holds a secret.
	Payload map[string]any
}

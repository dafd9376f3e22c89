package id

// The kinds of id, one type each, so that none can be passed for another.
type (
	tenantKind       struct{}
	workspaceKind    struct{}
	memberKind       struct{}
	connectionKind   struct{}
	targetKind       struct{}
	testKind         struct{}
	runKind          struct{}
	auditKind        struct{}
	personKind       struct{}
	sessionKind      struct{}
	invitationKind   struct{}
	mappingKind      struct{}
	onboardingKind   struct{}
	notificationKind struct{}
	webhookKind      struct{}
	webhookEventKind struct{}
	deliveryKind     struct{}
	restoreKind      struct{}
	exportKind       struct{}
	correctionKind   struct{}
)

func (tenantKind) Prefix() string       { return "t" }
func (workspaceKind) Prefix() string    { return "w" }
func (memberKind) Prefix() string       { return "mem" }
func (connectionKind) Prefix() string   { return "conn" }
func (targetKind) Prefix() string       { return "tgt" }
func (testKind) Prefix() string         { return "test" }
func (runKind) Prefix() string          { return "run" }
func (auditKind) Prefix() string        { return "aud" }
func (personKind) Prefix() string       { return "per" }
func (sessionKind) Prefix() string      { return "ses" }
func (invitationKind) Prefix() string   { return "inv" }
func (mappingKind) Prefix() string      { return "map" }
func (onboardingKind) Prefix() string   { return "onb" }
func (notificationKind) Prefix() string { return "ntf" }
func (webhookKind) Prefix() string      { return "wh" }
func (webhookEventKind) Prefix() string { return "evt" }
func (deliveryKind) Prefix() string     { return "dlv" }
func (restoreKind) Prefix() string      { return "rst" }
func (exportKind) Prefix() string       { return "exp" }
func (correctionKind) Prefix() string   { return "cor" }

type (
	// Tenant identifies a customer.
	Tenant = ID[tenantKind]
	// Workspace identifies a tenant's workspace.
	Workspace = ID[workspaceKind]
	// Member identifies someone's place in a workspace.
	Member = ID[memberKind]
	// Connection identifies a workspace's connection to a provider.
	Connection = ID[connectionKind]
	// Target identifies the provider-side organisation that connections reach.
	Target = ID[targetKind]
	// Test identifies a test of a connection.
	Test = ID[testKind]
	// Run identifies one execution of an operation.
	Run = ID[runKind]
	// AuditEvent identifies an audit event.
	AuditEvent = ID[auditKind]
	// Person identifies someone who signs in; their place in a workspace is a Member.
	Person = ID[personKind]
	// Session identifies what a sign-in gave.
	Session = ID[sessionKind]
	// Invitation identifies an invitation to a workspace.
	Invitation = ID[invitationKind]
	// ClaimMapping identifies a rule by which claims give a role.
	ClaimMapping = ID[mappingKind]
	// Onboarding identifies an onboarding session.
	Onboarding = ID[onboardingKind]
	// Notification identifies an entry of a member's inbox.
	Notification = ID[notificationKind]
	// Webhook identifies an endpoint that is told of events.
	Webhook = ID[webhookKind]
	// WebhookEvent identifies an event that endpoints are told of.
	WebhookEvent = ID[webhookEventKind]
	// Delivery identifies an event on its way to one endpoint.
	Delivery = ID[deliveryKind]
	// Restore identifies the preview of a restore and its execution.
	Restore = ID[restoreKind]
	// Export identifies a request to take data out, and its file.
	Export = ID[exportKind]
	// Correction identifies what somebody decided about identities.
	Correction = ID[correctionKind]
)

// Scope is the workspace a use case works in, and the tenant it belongs to.
type Scope struct {
	Tenant    Tenant
	Workspace Workspace
}

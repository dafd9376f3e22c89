package id

// The kinds of id, one type each, so that none can be passed for another.
type (
	tenantKind     struct{}
	workspaceKind  struct{}
	memberKind     struct{}
	connectionKind struct{}
	targetKind     struct{}
	testKind       struct{}
	runKind        struct{}
	auditKind      struct{}
)

func (tenantKind) Prefix() string     { return "t" }
func (workspaceKind) Prefix() string  { return "w" }
func (memberKind) Prefix() string     { return "mem" }
func (connectionKind) Prefix() string { return "conn" }
func (targetKind) Prefix() string     { return "tgt" }
func (testKind) Prefix() string       { return "test" }
func (runKind) Prefix() string        { return "run" }
func (auditKind) Prefix() string      { return "aud" }

// The ids of the model.
type (
	Tenant     = ID[tenantKind]
	Workspace  = ID[workspaceKind]
	Member     = ID[memberKind]
	Connection = ID[connectionKind]
	Target     = ID[targetKind]
	Test       = ID[testKind]
	Run        = ID[runKind]
	AuditEvent = ID[auditKind]
)

// Scope is the workspace a use case works in, and the tenant it belongs to.
type Scope struct {
	Tenant    Tenant
	Workspace Workspace
}

package archtest

// module is the path of the module that the rules are about.
const module = "github.com/gatehouse-project/gatehouse"

// maxLines is the longest a written file may be; generated files may be longer.
const maxLines = 420

// rule says what the packages of one folder may import besides the standard
// library and their own folder.
type rule struct {
	// folder is relative to the module; a last element "*" stands for each
	// folder there by itself. The rule covers what lies below, too. The first
	// rule of the table that fits a package decides.
	folder string
	// local are folders of this module, each with what lies below it.
	local []string
	// external are path prefixes of other modules; "*" allows any.
	external []string
	// never are path prefixes refused although the lists above, or their being
	// in the standard library, would allow them.
	never []string
}

// rules is the dependency direction of docs/architecture.md as a table.
func rules() []rule {
	foundation := []string{"connector", "internal/fault", "internal/id", "internal/identifier", "internal/mergepatch", "internal/nearest", "internal/secret", "internal/shares", "internal/violation"}
	domain := []string{
		"internal/audit", "internal/auditlog", "internal/ocsf", "internal/workspace", "internal/integration", "internal/operation",
		"internal/idempotency", "internal/connection", "internal/keyring", "internal/run", "internal/graph", "internal/identity", "internal/licence", "internal/notification", "internal/webhook",
		"internal/budget",
		"internal/onboarding", "internal/export",
	}
	inward := append(append([]string{}, foundation...), domain...)

	// A domain package knows no transport and no store.
	outside := []string{"net/http", "net/rpc", "database", "html", "os/exec"}
	domainRule := func(folder string, others ...string) rule {
		return rule{folder: folder, local: append(append([]string{}, foundation...), others...), never: outside}
	}
	integration := domainRule("internal/integration", "internal/audit")
	integration.external = []string{"github.com/santhosh-tekuri/jsonschema"}
	// A licence is a signed note, and its JSON is read strictly.
	licence := domainRule("internal/licence", "internal/audit", "internal/workspace", "internal/integration")
	licence.external = []string{"golang.org/x/mod/sumdb/note", "github.com/go-json-experiment/json"}

	auditlog := domainRule("internal/auditlog", "internal/audit", "internal/workspace")
	auditlog.external = []string{"golang.org/x/mod/sumdb", "github.com/go-json-experiment/json"}
	// An export's files are formats of others; each has a package below it.
	export := domainRule("internal/export", "internal/audit", "internal/workspace", "internal/integration", "internal/graph", "internal/idempotency")
	export.external = []string{"github.com/go-json-experiment/json"}
	parquet := export
	parquet.folder, parquet.local = "internal/export/parquetfile", append([]string{"internal/export"}, export.local...)
	parquet.external = []string{"github.com/parquet-go/parquet-go"}
	// Evidence is checked with no more than a public key.
	evidence := domainRule("internal/evidence", "internal/auditlog")
	evidence.external = []string{"golang.org/x/mod/sumdb"}
	connection := domainRule("internal/connection", "internal/audit", "internal/workspace", "internal/integration", "internal/operation", "internal/idempotency")
	connection.external = []string{"github.com/robfig/cron"}

	store := []string{"github.com/jackc", "github.com/riverqueue", "github.com/exaring"}
	transport := []string{"github.com/danielgtaylor/huma"}
	engines := append(append([]string{}, store...), transport...)

	return []rule{
		// The source of the contract, and no code.
		{folder: "."},
		// Leaves: the standard library alone.
		{folder: "connector/connectortest", local: []string{"connector"}, external: []string{"*"}, never: engines},
		// What connectors have in common, for those outside this module, too.
		{folder: "connector/checkup", local: []string{"connector"}},
		{folder: "connector/records", local: []string{"connector"}},
		{folder: "connector/wire", local: []string{"connector"}},
		// Tells an address that the worker refuses from a host that does not answer.
		{folder: "connector/rest", local: []string{"connector", "internal/egress"}, external: []string{"golang.org/x/oauth2"}, never: engines},
		{folder: "connector"},
		{folder: "internal/fault"},
		{folder: "internal/id"},
		{folder: "internal/mergepatch"},
		{folder: "internal/nearest"},
		// Domains of addresses are compared as IDNA writes them.
		{folder: "internal/identifier", local: []string{"connector"}, external: []string{"golang.org/x/net/idna"}},
		{folder: "internal/violation", external: []string{"github.com/santhosh-tekuri/jsonschema"}},
		{folder: "internal/shares"},
		{folder: "internal/secret"},
		// A resolver for tests; no program imports it.
		{folder: "internal/egress/egresstest", external: []string{"github.com/stretchr/testify"}},
		{folder: "internal/egress", local: []string{"internal/fault"}},
		{folder: "internal/keyfile"},
		// Runs programs, and knows nothing of what they are for.
		{folder: "internal/sandbox", external: []string{"golang.org/x/sys"}},
		{folder: "internal/process", local: []string{"connector", "internal/egress", "internal/sandbox"}},
		{folder: "internal/verify", local: append([]string{"internal/egress", "internal/integration", "internal/process", "internal/sandbox"}, foundation...)},
		{folder: "internal/registration", local: []string{"connector", "internal/process", "internal/sandbox"}},
		// The template in Go is a connector, and sees what any connector sees.
		{folder: "internal/scaffold/golang", local: []string{"connector"}},
		{folder: "internal/scaffold", local: []string{"."}},
		{folder: "internal/pgserver", external: []string{"golang.org/x/sys"}},
		{folder: "internal/archtest"},

		// The domain, with the few edges that it has inside.
		domainRule("internal/audit"),
		domainRule("internal/workspace", "internal/audit"),
		auditlog,
		evidence,
		domainRule("internal/ocsf", "internal/audit", "internal/auditlog", "internal/workspace"),
		integration,
		domainRule("internal/operation", "internal/workspace"),
		licence,
		domainRule("internal/idempotency"),
		connection,
		domainRule("internal/run", "internal/idempotency", "internal/audit", "internal/workspace", "internal/integration", "internal/operation", "internal/connection", "internal/licence"),
		domainRule("internal/onboarding", "internal/idempotency", "internal/audit", "internal/workspace", "internal/integration", "internal/operation", "internal/connection", "internal/run"),
		domainRule("internal/keyring", "internal/audit", "internal/connection"),
		domainRule("internal/graph", "internal/audit", "internal/workspace", "internal/integration", "internal/operation", "internal/connection", "internal/run"),

		parquet,
		export,

		domainRule("internal/identity", "internal/audit", "internal/workspace", "internal/integration", "internal/graph"),
		domainRule("internal/notification", "internal/workspace", "internal/operation", "internal/run"),
		domainRule("internal/webhook", "internal/audit", "internal/workspace", "internal/connection"),
		// What operators' surfaces show of the gate's answers and of runs.
		domainRule("internal/surface", "internal/integration", "internal/operation", "internal/connection", "internal/run"),
		domainRule("internal/budget", "internal/audit", "internal/workspace", "internal/integration", "internal/run"),

		// What both sides of the worker protocol say.
		{folder: "internal/workerapi", local: append([]string{"internal/run"}, foundation...), external: []string{"github.com/go-json-experiment/json", "github.com/klauspost/compress"}, never: outside},

		// What serves the domain. None of these knows another.
		{folder: "internal/postgres/pgtest", local: []string{"internal/pgserver"}, external: []string{"*"}},
		{folder: "internal/postgres", local: append([]string{"internal/auditsink"}, inward...), external: []string{"*"}, never: transport},
		{folder: "internal/auditsink", local: inward, never: engines},
		{folder: "internal/webhookclient", local: append([]string{"internal/egress"}, inward...), never: engines},
		{folder: "internal/job", local: inward, external: []string{"*"}, never: transport},
		{folder: "internal/seal", local: append([]string{"internal/keyfile"}, inward...), external: []string{"*"}, never: engines},
		{folder: "internal/reference", local: inward, external: []string{"*"}, never: engines},
		{folder: "internal/oidc", local: append([]string{"internal/egress"}, inward...), external: []string{"github.com/coreos/go-oidc", "golang.org/x/sync"}, never: engines},
		{folder: "internal/worker", local: append([]string{"internal/egress", "internal/workerapi"}, inward...), external: []string{"*"}, never: engines},
		{folder: "connectors/builtin", local: []string{"connector", "connectors"}},
		// Decides by policies that are handed to it, and reaches for nothing.
		{folder: "connectors/aws/policy"},
		{folder: "connectors/*", local: []string{"connector", "internal/egress", "internal/fault", "internal/secret"}, external: []string{"*"}, never: engines},

		// What people and programs talk to.
		{folder: "internal/client", local: []string{"internal/secret"}, external: []string{"github.com/go-json-experiment/json"}, never: []string{"database"}},
		{folder: "internal/api", local: append([]string{"internal/workerapi"}, inward...), external: []string{"*"}, never: store},

		// A simulated provider knows nothing of who calls it.
		{folder: "simulator", external: []string{"*"}, never: engines},

		// The composition root, and what runs or tests the whole.
		{folder: "internal/app", local: []string{"connector", "connectors", "internal", "simulator"}, external: []string{"*"}},
		// An auditor's command line hashes what the server shows, so it need not trust
		// it; a receiver's checks signatures; an author's runs the connector.
		{folder: "internal/cli", local: append([]string{"internal/app", "internal/client", "internal/audit", "internal/auditlog", "internal/evidence", "internal/webhook", "internal/process", "internal/registration", "internal/sandbox", "internal/scaffold", "internal/verify"}, foundation...), external: []string{"*"}, never: store},
		{folder: "cmd", local: []string{"internal/app", "internal/cli", "internal/sandbox"}, external: []string{"*"}, never: engines},
		{folder: "test", local: []string{"connector", "connectors", "internal", "simulator"}, external: []string{"*"}},
		{folder: "tools", external: []string{"*"}},
	}
}

// bannedNames are package names that say nothing about what is inside.
func bannedNames() []string {
	return []string{
		"util", "utils", "common", "helper", "helpers", "shared", "misc", "base",
		"lib", "core", "types", "models", "interfaces",
	}
}

package app

import (
	"os"
	"testing"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
)

// databases gives each test a database of the current schema.
var databases = pgtest.Kit{
	Migrate:     postgres.Migrate,
	Fingerprint: postgres.SchemaFingerprint(),
	Roles:       []string{"svc_integration", "svc_discovery", "svc_workspace"},
}

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

package connectortest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// defaultResumes is how many cursors of a partition are continued from when
// the subject does not say.
const defaultResumes = 32

// Subject is a connector with a provider to test it against.
type Subject struct {
	Connector connector.Connector
	// Settings reach a provider that denies nothing and whose content does not
	// change during the test. It is called for each session.
	Settings func(t testing.TB) connector.Settings
	// Deny makes settings for the same content with one declared permission
	// taken away; ok is false for a permission that cannot be taken away. Nil
	// leaves the loss of permissions untested.
	Deny func(t testing.TB, permission string) (s connector.Settings, ok bool)
	// Throttle makes settings for the same content behind a provider that
	// refuses some calls because of their rate. Nil leaves it untested.
	Throttle func(t testing.TB) connector.Settings
	// UnmetScopes are throttle scopes of the manifest that the provider of Settings
	// has no occasion for.
	UnmetScopes []string
	// Unmetered is how many requests a session may make without leave, before the
	// provider has said whose budget they count for.
	Unmetered int
	// MaxResumes bounds how many cursors per partition are continued from,
	// evenly spread. Zero means 32.
	MaxResumes int
}

// Run runs the suite as parallel subtests.
func Run(t *testing.T, subject Subject) {
	t.Helper()
	require.NotNil(t, subject.Connector, "the subject has no connector")
	require.NotNil(t, subject.Settings, "the subject has no settings")
	s := suite{Subject: subject, manifest: subject.Connector.Manifest()}
	if s.MaxResumes == 0 {
		s.MaxResumes = defaultResumes
	}
	t.Run("manifest", s.testManifest)
	t.Run("plan", s.testPlan)
	t.Run("check", s.testCheck)
	t.Run("read", s.testRead)
	t.Run("resume", s.testResume)
	t.Run("sink_error", s.testSinkError)
	t.Run("cancel", s.testCancel)
	t.Run("close", s.testClose)
	if subject.Deny != nil {
		t.Run("deny", s.testDeny)
	}
	if len(s.manifest.ThrottleScopes) > 0 {
		t.Run("budget", s.testBudget)
	}
	if subject.Throttle != nil {
		t.Run("throttle", s.testThrottle)
	}
}

type suite struct {
	Subject
	manifest connector.Manifest
}

// open opens a session and closes it when the test ends.
func (s suite) open(t *testing.T, settings connector.Settings) connector.Session {
	t.Helper()
	session, err := s.Connector.Open(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// stream returns the manifest's stream of a partition.
func (s suite) stream(t *testing.T, p connector.Partition) connector.Stream {
	t.Helper()
	stream, ok := s.manifest.Stream(p.Stream)
	require.True(t, ok, "partition %s is of a stream the manifest does not have", name(p))
	return stream
}

// readAll plans and reads everything in one session. errs holds the reads that
// failed, by partition.
func (s suite) readAll(ctx context.Context, t *testing.T, settings connector.Settings) (plan connector.Plan, records map[string]*recorder, errs map[string]error) {
	t.Helper()
	session := s.open(t, settings)
	plan, err := session.Plan(ctx)
	require.NoError(t, err)
	records, errs = map[string]*recorder{}, map[string]error{}
	for _, p := range plan.Partitions {
		if p.Skip != nil {
			continue
		}
		r := &recorder{stream: s.stream(t, p)}
		if err := session.Read(ctx, p, "", r); err != nil {
			errs[name(p)] = err
		}
		records[name(p)] = r
	}
	return plan, records, errs
}

func name(p connector.Partition) string { return p.Stream + "/" + p.Key }

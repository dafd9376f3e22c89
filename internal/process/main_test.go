package process

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// TestMain is also the step between of the sandbox, and the programs that the tests
// run: this file's own, by the name of a conduct.
func TestMain(m *testing.M) {
	sandbox.Enter()
	if len(os.Args) == 3 && os.Args[1] == "behave" {
		behave(os.Args[2])
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// shelf is a connector whose configuration says what it reads.
type shelf struct{}

// script is its configuration.
type script struct {
	// Pages are what a read emits, from the one whose number is the cursor on.
	Pages []wire.PageBody `json:"pages"`
	// Ending is the error that a read ends with; nil for none.
	Ending *wire.ErrorBody `json:"ending,omitempty"`
	// Takes is how often leave is asked for before each page.
	Takes int `json:"takes,omitempty"`
}

func (shelf) Manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID: "shelf", ConnectorID: "shelf-discovery", Name: "Shelf", ProviderSystem: "shelf", ConnectorType: "discovery",
		Version: "1.0.0", ContractVersion: connector.ContractVersion, Status: connector.Beta, ConfigurationVersion: "1",
		Configuration: json.RawMessage(`{"type": "object", "additionalProperties": false}`),
		Scope:         json.RawMessage(`{"type":"object","additionalProperties":false}`),
		Operations:    []string{"connection.test", "discovery.run"},
		AuthTypes:     []connector.AuthType{{ID: "none", Name: "None"}},
		ThrottleScopes: []connector.ThrottleScope{{
			Name: "calls", Description: "All", Key: []string{"shelf"}, Limit: connector.ThrottleLimit{Calls: 10, PerSeconds: 1, Burst: 10},
		}},
		LimitsBlindSpots: []string{"Other shelves."},
		Streams: []connector.Stream{{
			Name: "books", Description: "All books", Entities: connector.EntityKinds(), Relationships: connector.RelationshipKinds(),
		}},
	}
}

func (shelf) Open(_ context.Context, s connector.Settings) (connector.Session, error) {
	var c script
	if err := json.Unmarshal(s.Configuration, &c); err != nil {
		return nil, &connector.Error{Category: connector.ScopeInvalid, Message: "the configuration is no script"}
	}
	return &shelfSession{script: c, settings: s}, nil
}

type shelfSession struct {
	script
	settings connector.Settings
}

func (*shelfSession) Check(context.Context) (connector.CheckResult, error) {
	return connector.CheckResult{
		Target: connector.Target{ID: "1", Type: "shelf"}, ActsAs: "reader", Sufficient: true,
		Streams: []connector.StreamOutlook{{Stream: "books", Coverage: connector.Complete}},
	}, nil
}

func (*shelfSession) Plan(context.Context) (connector.Plan, error) {
	return connector.Plan{Complete: true, Partitions: []connector.Partition{
		{Stream: "books"}, {Stream: "books", Key: "closed", Skip: &connector.Error{Category: connector.PermissionDenied, Message: "locked", Permission: "key", On: "door", RetryAfter: time.Second / 3}},
	}}, nil
}

// Read reads by the script, or by the one that is the partition's key, so that one
// process can read by many.
func (s *shelfSession) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	if p.Key != "" {
		other := *s
		other.script = script{}
		if err := json.Unmarshal([]byte(p.Key), &other.script); err != nil {
			return &connector.Error{Category: connector.ScopeInvalid, Message: "the key is no script"}
		}
		s = &other
	}
	first := 0
	if from != "" {
		if _, err := fmt.Sscanf(string(from), "%d", &first); err != nil {
			return &connector.Error{Category: connector.ContractViolation, Message: "the cursor is no number"}
		}
	}
	use := connector.Use{Scope: "calls", Key: []string{"1"}, Calls: 2}
	for _, page := range s.Pages[min(first, len(s.Pages)):] {
		for range s.Takes {
			release, err := s.settings.Budget.Take(ctx, use)
			if err != nil {
				return err
			}
			release()
		}
		if err := to.Write(ctx, page.Page()); err != nil {
			return err
		}
	}
	if s.Ending != nil {
		return s.Ending.Error()
	}
	return nil
}

func (*shelfSession) Close() error { return nil }

// behave is a program: shelf, or one that does what a program should not.
func behave(how string) {
	if how == "shelf" {
		if err := wire.Serve(context.Background(), shelf{}, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	misbehave(how, bufio.NewReader(os.Stdin), os.Stdout)
}

// ownProgram is this test as a program that behaves in some way.
func ownProgram(t testing.TB, how string) *Program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	limits := DefaultLimits()
	limits.Silence = 20 * time.Second
	return &Program{Command: sandbox.Command{Program: self, Arguments: []string{"behave", how}}, Described: shelf{}.Manifest(), Limits: limits}
}

// settingsOf is settings with a script, and a log to look at.
func settingsOf(t testing.TB, s script, log io.Writer) connector.Settings {
	t.Helper()
	raw, err := json.Marshal(s)
	require.NoError(t, err)
	return connector.Settings{Configuration: raw, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

// collector is a sink that keeps pages and refuses after some.
type collector struct {
	pages  []connector.Page
	refuse int
	err    error
}

func (c *collector) Write(_ context.Context, page connector.Page) error {
	if c.err != nil && len(c.pages) == c.refuse {
		return c.err
	}
	stream, _ := shelf{}.Manifest().Stream("books")
	if err := connector.ValidatePage(stream, &page); err != nil {
		return err
	}
	c.pages = append(c.pages, page)
	return nil
}

// jsonOf is how pages are compared: nothing but their JSON counts.
func jsonOf(t require.TestingT, v any) string {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return strings.ReplaceAll(string(raw), `null`, `[]`)
}

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

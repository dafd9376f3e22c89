package pgtest

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
)

// EnvURL is the environment variable with the superuser's URL of a server to
// test on. The URL must hold a password; the tests make databases and give the
// service roles passwords there, so it is never a server with other data.
const EnvURL = "GATEHOUSE_TEST_DATABASE_URL"

// ErrNotRun says that neither EnvURL is set nor Run was called.
var ErrNotRun = errors.New("no test server: set " + EnvURL + ", or call Kit.Run from TestMain")

// Kit makes the databases of one test binary. Fill the exported fields before
// the first use; the methods are safe for concurrent use.
type Kit struct {
	// Migrate brings an empty database to the current schema and makes the
	// roles. It connects as superuser, once per server and fingerprint, and has
	// closed its connections when it returns.
	Migrate func(ctx context.Context, databaseURL string) error
	// Fingerprint changes whenever Migrate's outcome does, such as a hash over
	// the migration files.
	Fingerprint string
	// Roles that Migrate makes and that tests connect as.
	Roles []string

	mu      sync.Mutex
	running bool     // Run was called
	server  *Server  // started by this binary; nil with EnvURL
	base    *url.URL // the superuser's URL; nil until first needed
	ready   bool     // the template exists
}

// Run runs the binary's tests, then stops the server if this binary had to
// start one. It returns the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }
func (k *Kit) Run(m *testing.M) int {
	k.mu.Lock()
	k.running = true
	k.mu.Unlock()
	code := m.Run()
	if err := k.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

func (k *Kit) stop() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.server == nil {
		return nil
	}
	err := k.server.Close(context.Background())
	k.server, k.base, k.ready = nil, nil, false
	return err
}

// prepare returns the superuser's URL of the server, with the template in place
// when migrated is set.
func (k *Kit) prepare(ctx context.Context, migrated bool) (*url.URL, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.base == nil {
		base, err := k.findServer(ctx)
		if err != nil {
			return nil, err
		}
		k.base = base
	}
	if migrated && !k.ready {
		if err := k.ensureTemplate(ctx, k.base); err != nil {
			return nil, err
		}
		k.ready = true
	}
	return k.base, nil
}

func (k *Kit) findServer(ctx context.Context) (*url.URL, error) {
	raw := os.Getenv(EnvURL)
	if raw == "" {
		if !k.running {
			return nil, ErrNotRun
		}
		server, err := StartServer(ctx)
		if err != nil {
			return nil, err
		}
		k.server, raw = server, server.SuperuserURL("postgres")
	}
	base, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvURL, errors.Unwrap(err)) // the outer error repeats the URL
	}
	if _, ok := base.User.Password(); !ok {
		return nil, fmt.Errorf("%s: the URL holds no password", EnvURL)
	}
	return base, nil
}

// rolePassword derives a service role's password from the superuser's, so that
// all test binaries on one server know it without telling each other.
func rolePassword(base *url.URL, role string) string {
	secret, _ := base.User.Password()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(role))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// randomName returns a database name that no other test has.
func randomName() string {
	return "gatehouse_test_" + rand.Text()
}

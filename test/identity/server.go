package identity

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Start runs the provider until the test ends and returns its issuer and the id
// of its public client.
func Start(t *testing.T) (issuer, clientID string) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(file)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed; oidc-provider, a certified OpenID Connect provider, needs it")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		t.Skip("oidc-provider is not installed: npm ci --prefix test/identity")
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "provider.mjs"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("start the provider: %v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the provider: %v", err)
	}
	t.Cleanup(func() {
		// It has nothing to lose; its end is waited for.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			go func() {
				for lines.Scan() { // so that it never waits for a reader
				}
			}()
			return found, "gatehouse"
		}
	}
	t.Fatal("the provider ended without serving")
	return "", ""
}

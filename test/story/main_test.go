package story

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The binaries, built for this run: the one under test, and a worker whose
// connector is broken.
var gatehouse, breakingWorker string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gatehouse-story-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a directory for the binary:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	gatehouse, breakingWorker = filepath.Join(dir, "gatehouse"), filepath.Join(dir, "breakingworker")
	const module = "github.com/gatehouse-project/gatehouse"
	build := exec.CommandContext(context.Background(), "go", "build", "-o", dir, module+"/cmd/gatehouse", module+"/test/story/cmd/breakingworker")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the binaries: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

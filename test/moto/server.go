package moto

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// ManagementAccount is the account that calls with an unknown access key reach.
const ManagementAccount = "123456789012"

// startTime bounds how long the server may take to answer.
const startTime = 2 * time.Minute

// Start starts a server that ends with the test and returns its address. It has
// AWS's own managed policies and nothing else.
func Start(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("moto_server, an imitation of AWS, is not installed: pip install 'moto[server]'")
	}
	// The server chooses the port, so that no other process can take it first.
	server := exec.CommandContext(t.Context(), path, "-H", "127.0.0.1", "-p", "0")
	server.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	printed, err := server.StderrPipe()
	if err != nil {
		t.Fatalf("start moto_server: %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatalf("start moto_server: %v", err)
	}
	told, read := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(read)
		tell(printed, told)
	}()
	t.Cleanup(func() {
		// The end of the test's context has killed it.
		<-read
		_ = server.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	select {
	case url, ok := <-told:
		if !ok {
			t.Fatal("moto_server ended without serving")
		}
		return url
	case <-ctx.Done():
		t.Fatal("moto_server does not say where it serves")
	}
	return ""
}

// tell passes on the address that the server prints once it listens, and reads
// the rest so that the server is never held up.
func tell(printed io.Reader, told chan<- string) {
	defer close(told)
	address := regexp.MustCompile(`Running on (http://127\.0\.0\.1:[0-9]+)`)
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			told <- found[1]
			break
		}
	}
	_, _ = io.Copy(io.Discard, printed)
}

package registration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/process"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// Registration is one connector.
type Registration struct {
	// Program is the absolute path of the program on every worker, Interpreter what
	// runs it, and SHA256 what it has to be.
	Program     string   `json:"program"`
	Interpreter []string `json:"interpreter,omitempty"`
	SHA256      string   `json:"sha256"`
	// RegisteredAt is when, for whoever reads the file.
	RegisteredAt time.Time `json:"registered_at"`
	Limits       Limits    `json:"limits"`
	// Manifest is what the program said of itself.
	Manifest connector.Manifest `json:"manifest"`
}

// Limits are what an operator may set; zero stands for the default.
type Limits struct {
	CPUSeconds     int64  `json:"cpu_seconds,omitempty"`
	MemoryMiB      uint64 `json:"memory_mib,omitempty"`
	Processes      uint64 `json:"processes,omitempty"`
	SilenceSeconds int64  `json:"silence_seconds,omitempty"`
}

// limits returns them with defaults filled in.
func (l Limits) limits() process.Limits {
	all := process.DefaultLimits()
	if l.CPUSeconds > 0 {
		all.Sandbox.CPU = time.Duration(l.CPUSeconds) * time.Second
	}
	if l.MemoryMiB > 0 {
		all.Sandbox.Memory = l.MemoryMiB << 20
	}
	if l.Processes > 0 {
		all.Sandbox.Processes = l.Processes
	}
	if l.SilenceSeconds > 0 {
		all.Silence = time.Duration(l.SilenceSeconds) * time.Second
	}
	return all
}

// Connector returns the connector. Isolated refuses to run it where the system cannot
// keep it apart.
func (r Registration) Connector(isolated bool) connector.Connector {
	return &process.Program{
		Command:   sandbox.Command{Program: r.Program, Interpreter: r.Interpreter, SHA256: r.SHA256},
		Described: r.Manifest, Limits: r.Limits.limits(), Isolated: isolated,
	}
}

// file is what is stored.
type file struct {
	Connectors []Registration `json:"connectors"`
}

// maxFileBytes bounds the file.
const maxFileBytes = 16 << 20

// Load reads the file, strictly. An empty path is no registrations; a file that is not
// there is an error.
func Load(path string) ([]Registration, error) {
	if path == "" {
		return nil, nil
	}
	from, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the registered connectors: %w", err)
	}
	defer from.Close()
	raw, err := io.ReadAll(io.LimitReader(from, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the registered connectors: %w", err)
	}
	if len(raw) > maxFileBytes {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxFileBytes)
	}
	var all file
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %w; gatehouse connector register writes it", path, err)
	}
	for i, r := range all.Connectors {
		if err := r.validate(); err != nil {
			return nil, fmt.Errorf("%s: connector %d, %q: %w", path, i+1, r.Manifest.IntegrationID, err)
		}
	}
	return all.Connectors, nil
}

// validate says what is wrong with a registration; the catalog looks at its manifest.
func (r Registration) validate() error {
	switch {
	case !filepath.IsAbs(r.Program):
		return errors.New("program is not an absolute path")
	case len(r.Interpreter) > 0 && !filepath.IsAbs(r.Interpreter[0]):
		return errors.New("interpreter is not an absolute path")
	case !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(r.SHA256):
		return errors.New("sha256 is not 64 hexadecimal digits in lower case; no program runs that is not pinned")
	}
	return r.Limits.limits().Sandbox.Validate()
}

// Put adds a registration to the file, in place of the integration's earlier one. It
// makes the file when there is none.
func Put(path string, r Registration) (replaced bool, err error) {
	if err := r.validate(); err != nil {
		return false, err
	}
	all, err := Load(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	kept := without(all, r.Manifest.IntegrationID)
	return len(kept) < len(all), store(path, append(kept, r))
}

// Remove takes an integration out of the file; false when it is not in it.
func Remove(path, integration string) (bool, error) {
	all, err := Load(path)
	if err != nil {
		return false, err
	}
	kept := without(all, integration)
	if len(kept) == len(all) {
		return false, nil
	}
	return true, store(path, kept)
}

func without(all []Registration, integration string) []Registration {
	return slices.DeleteFunc(slices.Clone(all), func(r Registration) bool { return r.Manifest.IntegrationID == integration })
}

// store replaces the file in one step, so that nobody reads half of it.
func store(path string, all []Registration) error {
	slices.SortFunc(all, func(a, b Registration) int {
		return strings.Compare(a.Manifest.IntegrationID, b.Manifest.IntegrationID)
	})
	raw, err := json.MarshalIndent(file{Connectors: append([]Registration{}, all...)}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the registered connectors: %w", err)
	}
	next, err := os.CreateTemp(filepath.Dir(path), ".connectors-*")
	if err != nil {
		return fmt.Errorf("store the registered connectors: %w", err)
	}
	_, err = next.Write(append(raw, '\n'))
	// What it says is no secret, and whoever may write it decides what runs.
	err = errors.Join(err, next.Chmod(0o644), next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store the registered connectors: %w", err), os.Remove(next.Name()))
	}
	return nil
}

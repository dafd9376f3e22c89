package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Settings say what a program is tried on. They are a file, such as verify.json.
type Settings struct {
	// Provider is a program, with arguments, that serves a provider to try on: it is
	// started in the file's folder, prints its address as its first line, and is ended
	// afterwards. Empty when the configuration reaches one.
	Provider []string `json:"provider,omitempty"`
	// Configuration and Scope are those of a connection that lacks nothing. In texts
	// of a configuration, ${provider} stands for the address of Provider, and
	// ${env:NAME} for a variable, so that no secret has to be in the file.
	Configuration map[string]any  `json:"configuration"`
	Scope         json.RawMessage `json:"scope,omitempty"`
	// Denied are changes to the configuration after which a permission is missing, by
	// its name.
	Denied map[string]map[string]any `json:"denied,omitempty"`
	// Throttled are changes after which the provider refuses some calls because of
	// their rate.
	Throttled map[string]any `json:"throttled,omitempty"`

	// folder is where the file is.
	folder string
}

// maxSettingsBytes bounds the file.
const maxSettingsBytes = 1 << 20

// Load reads a file of settings, strictly.
func Load(path string) (*Settings, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxSettingsBytes))
	if err != nil {
		return nil, err
	}
	s := &Settings{folder: filepath.Dir(path)}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.Configuration == nil {
		return nil, fmt.Errorf(`%s: "configuration" is missing; it holds what a connection would be made with`, path)
	}
	return s, nil
}

// configuration returns the configuration with changes, and with what stands for
// something else filled in.
func (s *Settings) configuration(changes map[string]any, provider string) (json.RawMessage, error) {
	whole := map[string]any{}
	for _, part := range []map[string]any{s.Configuration, changes} {
		for name, value := range part {
			whole[name] = value
		}
	}
	var missing []error
	for name, value := range whole {
		text, ok := value.(string)
		if !ok {
			continue
		}
		whole[name] = os.Expand(text, func(what string) string {
			switch variable, env := strings.CutPrefix(what, "env:"); {
			case what == "provider":
				return provider
			case env && os.Getenv(variable) != "":
				return os.Getenv(variable)
			}
			missing = append(missing, fmt.Errorf("configuration.%s: nothing is known for ${%s}", name, what))
			return ""
		})
	}
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	return json.Marshal(whole)
}

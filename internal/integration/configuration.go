package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/mergepatch"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Configuration is a validated configuration, its halves apart.
type Configuration struct {
	// Config is the readable half, a JSON object.
	Config json.RawMessage
	// Secrets is the secret half, a JSON object; empty when there are none.
	Secrets secret.Secret
	// SecretNames lists the secret fields that are set.
	SecretNames []string
	// References are the secret fields that refer to a secret kept elsewhere.
	References map[string]Reference
}

// ReferenceKinds returns the kind of each reference; nil when there are none.
func (c Configuration) ReferenceKinds() map[string]string {
	if len(c.References) == 0 {
		return nil
	}
	kinds := make(map[string]string, len(c.References))
	for name, r := range c.References {
		kinds[name] = r.Kind
	}
	return kinds
}

// ConfigurationFields describes the fields of a configuration in order of name.
func (i *Integration) ConfigurationFields() []Field { return slices.Clone(i.configuration.fields) }

// Validate checks a whole configuration against the manifest's schema and
// splits it. The error is Invalid and names each field that is wrong.
func (i *Integration) Validate(configuration json.RawMessage) (Configuration, error) {
	object, err := i.configuration.object(configuration)
	if err != nil {
		return Configuration{}, err
	}
	return i.check(object)
}

// Merge applies a merge patch (RFC 7396) to a stored configuration: a field that
// is null is removed, one that is absent keeps what it was, secrets included. The
// result is validated as a whole.
func (i *Integration) Merge(stored, patch json.RawMessage) (Configuration, error) {
	before, err := i.configuration.object(stored)
	if err != nil {
		return Configuration{}, err
	}
	changes, err := i.configuration.object(patch)
	if err != nil {
		return Configuration{}, err
	}
	merged, ok := mergepatch.Merge(before, changes).(map[string]any)
	if !ok || bytes.Equal(bytes.TrimSpace(patch), []byte("null")) {
		merged = map[string]any{}
	}
	return i.check(merged)
}

// Join puts the halves of a configuration together again, for the connector.
func Join(config json.RawMessage, secrets []byte) (json.RawMessage, error) {
	whole := map[string]json.RawMessage{}
	for _, half := range [][]byte{config, secrets} {
		if len(half) == 0 {
			continue
		}
		if err := json.Unmarshal(half, &whole); err != nil {
			return nil, fmt.Errorf("join configuration: a stored half is not a JSON object")
		}
	}
	return json.Marshal(whole)
}

// ValidateScope checks a scope and returns it in compact form. The error is
// Invalid and names each field that is wrong.
func (i *Integration) ValidateScope(scope json.RawMessage) (json.RawMessage, error) {
	object, err := i.scope.object(scope)
	if err != nil {
		return nil, err
	}
	if err := i.scope.validate(object); err != nil {
		return nil, err
	}
	return json.Marshal(object)
}

func (i *Integration) split(whole map[string]any) (Configuration, error) {
	config, secrets := map[string]any{}, map[string]any{}
	for name, value := range whole {
		if slices.ContainsFunc(i.configuration.fields, func(f Field) bool { return f.Name == name && f.Secret }) {
			secrets[name] = value
		} else {
			config[name] = value
		}
	}
	var c Configuration
	var err error
	if c.Config, err = json.Marshal(config); err != nil {
		return Configuration{}, fmt.Errorf("encode config: %w", err)
	}
	if len(secrets) == 0 {
		return c, nil
	}
	raw, err := json.Marshal(secrets)
	if err != nil {
		return Configuration{}, fmt.Errorf("encode secrets: %w", err)
	}
	c.Secrets = secret.FromString(string(raw))
	for name := range secrets {
		c.SecretNames = append(c.SecretNames, name)
	}
	slices.Sort(c.SecretNames)
	return c, nil
}

// MissingSecrets returns the secret fields that a stored configuration needs and
// does not have, in order. Stored are the names of those that it has, kept here
// or elsewhere.
func (i *Integration) MissingSecrets(config json.RawMessage, stored []string) ([]string, error) {
	object, err := i.configuration.object(config)
	if err != nil {
		return nil, err
	}
	for _, name := range stored {
		object[name] = ""
	}
	wrong, ok := fault.As(i.configuration.validate(object))
	if !ok {
		return nil, nil
	}
	var missing []string
	for _, f := range wrong.Fields {
		name := strings.TrimPrefix(f.Path, "configuration.")
		isSecret := slices.ContainsFunc(i.configuration.fields, func(f Field) bool { return f.Name == name && f.Secret })
		if isSecret && !slices.Contains(stored, name) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

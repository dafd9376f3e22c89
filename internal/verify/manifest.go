package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/process"
)

// manifest checks the description, and that it is the same in another process.
func (v *verification) manifest(ctx context.Context) (string, error) {
	m := v.manifestOf()
	if err := CheckManifest(m); err != nil {
		return "", err
	}
	again, _, err := process.Describe(ctx, &v.options.Program, v.options.Log)
	if err != nil {
		return "", err
	}
	a, errA := json.Marshal(m)
	b, errB := json.Marshal(again)
	if err := errors.Join(errA, errB); err != nil {
		return "", err
	}
	if string(a) != string(b) {
		return "", errors.New("the program describes itself differently the second time")
	}
	return fmt.Sprintf("%s %s, %d streams, %d permissions", m.IntegrationID, m.Version, len(m.Streams), len(m.RequiredPermissions())), nil
}

// CheckManifest says everything that is wrong with a manifest.
func CheckManifest(m connector.Manifest) error {
	var wrong []error
	note := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for field, value := range map[string]string{
		"connector_id": m.ConnectorID, "name": m.Name, "provider_system": m.ProviderSystem, "connector_type": m.ConnectorType,
		"version": m.Version, "configuration_version": m.ConfigurationVersion,
	} {
		if value == "" {
			note("%s is empty", field)
		}
	}
	if !slices.Contains([]connector.Status{connector.Available, connector.Beta, connector.Deprecated}, m.Status) {
		note("status is %q, and not available, beta or deprecated", string(m.Status))
	}
	if len(m.AuthTypes) == 0 {
		note("auth_types is empty; name at least one way of authentication")
	}
	if len(m.LimitsBlindSpots) == 0 {
		note("limits_blind_spots is empty; every connector has blind spots")
	}
	if err := (egress.Policy{AllowedHosts: m.Hosts}).Validate(); err != nil {
		note("hosts: %w", err)
	}
	// What the catalog itself requires: ids, versions, schemas, throttle scopes.
	if _, err := integration.NewCatalog([]connector.Connector{described(m)}); err != nil {
		wrong = append(wrong, err)
	}
	wrong = append(wrong, checkFields("configuration", m.Configuration), checkFields("scope", m.Scope), checkStreams(m.Streams))
	return errors.Join(wrong...)
}

// described is a connector that can only be described.
type described connector.Manifest

func (d described) Manifest() connector.Manifest { return connector.Manifest(d) }

func (described) Open(context.Context, connector.Settings) (connector.Session, error) {
	return nil, &connector.Error{Category: connector.Internal, Message: "the connector is only described here"}
}

// checkFields checks what prompts and documentation need of a schema.
func checkFields(what string, raw json.RawMessage) error {
	var schema struct {
		AdditionalProperties *bool `json:"additionalProperties"`
		Properties           map[string]struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			WriteOnly   bool   `json:"writeOnly"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		return fmt.Errorf("%s is no JSON Schema: %w", what, err)
	}
	var wrong []error
	if schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		wrong = append(wrong, fmt.Errorf(`%s lets misspelt fields pass; it needs "additionalProperties": false`, what))
	}
	secret := regexp.MustCompile(`(?i)(secret|password|private_key|(^|_)token$)`)
	for field, p := range schema.Properties {
		if p.Title == "" || p.Description == "" {
			wrong = append(wrong, fmt.Errorf("%s.%s has no title or no description, which prompts show", what, field))
		}
		if secret.MatchString(field) && !p.WriteOnly {
			wrong = append(wrong, fmt.Errorf(`%s.%s looks like a secret and is not "writeOnly": true`, what, field))
		}
	}
	return errors.Join(wrong...)
}

func checkStreams(streams []connector.Stream) error {
	if len(streams) == 0 {
		return errors.New("streams is empty; name at least one")
	}
	var wrong []error
	note := func(s connector.Stream, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("stream %q %s", s.Name, fmt.Sprintf(format, args...)))
	}
	before := map[string]bool{}
	for _, s := range streams {
		switch {
		case s.Name == "":
			note(s, "has no name")
		case before[s.Name]:
			note(s, "is there twice")
		case s.Description == "":
			note(s, "has no description")
		case len(s.Entities)+len(s.Relationships) == 0:
			note(s, "emits nothing")
		}
		for _, k := range s.Entities {
			if !slices.Contains(connector.EntityKinds(), k) {
				note(s, "emits entities of the kind %q, which there is not", string(k))
			}
		}
		for _, k := range s.Relationships {
			if _, ok := connector.EndsOf(k); !ok {
				note(s, "emits relationships of the kind %q, which there is not", string(k))
			}
		}
		for _, p := range s.Permissions {
			if p.Name == "" || p.Why == "" {
				note(s, "needs a permission without a name or a reason")
			}
		}
		for _, d := range s.DependsOn {
			// In this order there can be no circle.
			if !before[d] {
				note(s, "depends on %q, which is not a stream named before it", d)
			}
		}
		before[s.Name] = true
	}
	return errors.Join(wrong...)
}

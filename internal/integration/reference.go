package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Reference names a secret that is kept elsewhere. In a configuration it stands
// in place of a writeOnly text: {"$ref": "env:AWS_SECRET"}.
type Reference struct {
	// Kind is one of ReferenceKinds.
	Kind string
	// Target is what the kind's store knows the secret by: the name of an
	// environment variable, an absolute path, or an ARN with an optional #key.
	Target string
}

// The kinds of references.
const (
	EnvReference               = "env"
	FileReference              = "file"
	AWSSecretsManagerReference = "awssm"
)

// referenceForms says how each kind is written.
const referenceForms = "env:NAME, file:/PATH or awssm:ARN#KEY"

// maxReferenceBytes bounds what is stored of a reference: 2 KiB, the length of an
// ARN.
const maxReferenceBytes = 2048

// refName is the one field of a reference's object.
const refName = "$ref"

// String returns the reference as it is written.
func (r Reference) String() string { return r.Kind + ":" + r.Target }

// ParseReference reads a reference. The error says what is accepted and does not
// repeat the text.
func ParseReference(text string) (Reference, error) {
	kind, target, found := strings.Cut(text, ":")
	known := kind == EnvReference || kind == FileReference || kind == AWSSecretsManagerReference
	if !found || !known || target == "" || len(text) > maxReferenceBytes || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		return Reference{}, fmt.Errorf("refers to no secret; a reference is written %s", referenceForms)
	}
	return Reference{Kind: kind, Target: target}, nil
}

// references returns the references among a configuration's secret fields.
// The error is Invalid and names each field whose reference cannot be read.
func (i *Integration) references(object map[string]any) (map[string]Reference, error) {
	found := map[string]Reference{}
	var wrong []fault.Field
	for _, field := range i.configuration.fields {
		written, ok := object[field.Name].(map[string]any)
		if !ok || !field.Secret || field.Type != "string" {
			continue
		}
		text, isText := written[refName].(string)
		if !isText || len(written) != 1 {
			wrong = append(wrong, fault.Field{Path: "configuration." + field.Name, Message: `must be a text, or {"$ref": "…"} and nothing else`})
			continue
		}
		r, err := ParseReference(text)
		if err != nil {
			wrong = append(wrong, fault.Field{Path: "configuration." + field.Name, Message: err.Error()})
			continue
		}
		found[field.Name] = r
	}
	if len(wrong) > 0 {
		return nil, fault.InvalidFields(wrong...)
	}
	return found, nil
}

// check validates a whole configuration and splits it. What a reference refers
// to is not known here, so the schema is not asked about such a field's value.
func (i *Integration) check(object map[string]any) (Configuration, error) {
	found, err := i.references(object)
	if err != nil {
		return Configuration{}, err
	}
	if err := i.storesRenewed(found); err != nil {
		return Configuration{}, err
	}
	s := i.configuration
	if len(found) > 0 {
		if s, err = s.without(slices.Collect(maps.Keys(found))); err != nil {
			return Configuration{}, err
		}
	}
	if err := s.validate(object); err != nil {
		return Configuration{}, err
	}
	c, err := i.split(object)
	if len(found) > 0 {
		c.References = found
	}
	return c, err
}

// Resolve replaces the references in some fields of a whole configuration by
// what look returns for each. Values are not validated
// again: the connector is the first to see them, and says what does not fit.
func Resolve(whole json.RawMessage, fields []string, look func(field string, r Reference) (string, error)) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(whole, &object); err != nil {
		return nil, fmt.Errorf("resolve references: the configuration is not a JSON object")
	}
	for _, name := range fields {
		var written struct {
			Ref string `json:"$ref"`
		}
		if err := json.Unmarshal(object[name], &written); err != nil {
			return nil, fmt.Errorf("resolve references: %s is none", name)
		}
		r, err := ParseReference(written.Ref)
		if err != nil {
			return nil, fmt.Errorf("resolve references: %s %w", name, err)
		}
		value, err := look(name, r)
		if err != nil {
			return nil, err
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("resolve references: encode %s", name)
		}
		object[name] = raw
	}
	return json.Marshal(object)
}

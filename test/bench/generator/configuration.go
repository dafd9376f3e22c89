package generator

import (
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Configuration says what estate to make. It is a connection's configuration,
// by the names of the manifest's schema.
type Configuration struct {
	// Entities is at least 1,000.
	Entities int `json:"entities"`
	// Relationships is at least two and a half times Entities.
	Relationships int `json:"relationships"`
	// Partitions is into how many each stream is divided, at least 1.
	Partitions int `json:"partitions"`
	// Revision tells two states of the estate apart.
	Revision int `json:"revision"`
	// ChangedPermille is how many of 1,000 records differ between revision 0 and
	// any other.
	ChangedPermille int `json:"changed_permille"`
	// PauseMilliseconds is how long each page takes to come.
	PauseMilliseconds int `json:"pause_milliseconds"`
}

const configurationSchema = `{
	"type": "object", "additionalProperties": false, "required": ["entities", "relationships"],
	"properties": {
		"entities": {"type": "integer", "minimum": 1000, "title": "Entities"},
		"relationships": {"type": "integer", "minimum": 2500, "title": "Relationships"},
		"partitions": {"type": "integer", "minimum": 1, "default": 1, "title": "Partitions of each stream"},
		"revision": {"type": "integer", "minimum": 0, "default": 0, "title": "Revision"},
		"pause_milliseconds": {"type": "integer", "minimum": 0, "default": 0, "title": "Milliseconds before each page"},
		"changed_permille": {"type": "integer", "minimum": 0, "maximum": 1000, "default": 0, "title": "Changed records of 1,000"}
	}
}`

func parse(raw json.RawMessage) (Configuration, error) {
	c := Configuration{Partitions: 1}
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, &connector.Error{Category: connector.ScopeInvalid, Message: "the configuration is not of the expected form", Cause: err}
	}
	if c.Entities < 1000 || c.Relationships < c.Entities/2*5 || c.Partitions < 1 {
		return c, &connector.Error{Category: connector.ScopeInvalid, Message: "want 1000 entities or more, 2.5 relationships for each, and a partition"}
	}
	return c, nil
}

package run

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// surroundings are what is safe to know of where and for what a run was started:
// provider, connection, target and module, never a secret.
type surroundings map[string]any

// Limits of what a surface may have kept with a run.
const (
	maxSurfaceBytes       = 100
	maxTargetContextBytes = 4096
	maxTargetContextDepth = 5
)

func newSurroundings(op operation.Operation, req StartRequest) (surroundings, error) {
	s := surroundings{"module": op.Module}
	if len(req.Surface) > maxSurfaceBytes {
		return nil, fault.InvalidField("source_surface", "must be at most %d bytes", maxSurfaceBytes)
	}
	if req.Surface != "" {
		s["source_surface"] = Sanitise(req.Surface)
	}
	if len(req.TargetContext) == 0 {
		return s, nil
	}
	if len(req.TargetContext) > maxTargetContextBytes {
		return nil, fault.InvalidField("target_context", "must be at most %d bytes", maxTargetContextBytes)
	}
	var given map[string]any
	if json.Unmarshal(req.TargetContext, &given) != nil {
		return nil, fault.InvalidField("target_context", "must be a JSON object")
	}
	if len(given) == 0 {
		return s, nil
	}
	clean, ok := sanitiseValue(given, 0)
	if !ok {
		return nil, fault.InvalidField("target_context", "must not be nested deeper than %d", maxTargetContextDepth)
	}
	s["target_context"] = clean
	return s, nil
}

// sanitiseValue is [Sanitise] for decoded JSON; ok is false when it is too deep.
// What stands under a name that announces a secret is removed with it.
func sanitiseValue(v any, depth int) (clean any, ok bool) {
	if depth > maxTargetContextDepth {
		return nil, false
	}
	switch v := v.(type) {
	case string:
		return Sanitise(v), true
	case []any:
		list := make([]any, len(v))
		for i := range v {
			if list[i], ok = sanitiseValue(v[i], depth+1); !ok {
				return nil, false
			}
		}
		return list, true
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, value := range v {
			if object[Sanitise(name)], ok = sanitiseValue(value, depth+1); !ok {
				return nil, false
			}
			if Sanitise(name+"=x") != name+"=x" {
				object[Sanitise(name)] = removed
			}
		}
		return object, true
	}
	return v, true
}

// of adds the connection and what it reaches.
func (s surroundings) of(conn *connection.Connection) {
	s["provider"], s["connection_id"], s["connection_name"] = string(conn.Integration), conn.ID.String(), conn.Name
	if conn.Target != nil {
		s["target_scope"] = map[string]any{"target_id": conn.Target.ID.String(), "provider_target_id": conn.Target.ProviderID}
	}
}

// detail adds what stood in the way in this case.
func (s surroundings) detail(b blocker) {
	switch {
	case b.detail == "":
	case b.why == operation.IntegrationNotLicensed:
		s["licence"] = b.detail
	default:
		s["detail"] = b.detail
	}
}

// recordedDetail is what detail added to the context of a run; empty for nothing.
func recordedDetail(context json.RawMessage) string {
	var said struct {
		Detail  string `json:"detail"`
		Licence string `json:"licence"`
	}
	if json.Unmarshal(context, &said) != nil {
		return ""
	}
	return cmp.Or(said.Detail, said.Licence)
}

func (s surroundings) encode() (json.RawMessage, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the context of a run: %w", err)
	}
	return raw, nil
}

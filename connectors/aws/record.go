package aws

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

func accountRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Account, ID: id}
}

func principalRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Principal, ID: id}
}

func entitlementRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Entitlement, ID: id}
}

func resourceRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.Resource, ID: id}
}

func boundaryRef(id string) connector.Ref {
	return connector.Ref{Kind: connector.CloudAccountBoundary, ID: id}
}

// attributes makes a JSON object of the fields that are set. When it would be
// larger than the contract allows, the fields named in spare are left out, in
// that order, and listed under "omitted".
func attributes(fields map[string]any, spare ...string) json.RawMessage {
	for k, v := range fields {
		switch v := v.(type) {
		case nil:
			delete(fields, k)
		case string:
			if v == "" {
				delete(fields, k)
			}
		case []string:
			if len(v) == 0 {
				delete(fields, k)
			}
		case map[string]string:
			if len(v) == 0 {
				delete(fields, k)
			}
		case json.RawMessage:
			if len(v) == 0 {
				delete(fields, k)
			}
		case *time.Time:
			if delete(fields, k); v != nil {
				fields[k] = v.UTC().Format(time.RFC3339)
			}
		}
	}
	if len(fields) == 0 {
		return nil
	}
	var omitted []string
	for {
		b, err := json.Marshal(fields)
		if err == nil && len(b) <= connector.MaxAttributesBytes {
			return b
		}
		if len(spare) == 0 {
			return nil
		}
		omitted = append(omitted, spare[0])
		delete(fields, spare[0])
		fields["omitted"] = omitted
		spare = spare[1:]
	}
}

// clipName keeps a name within the contract without breaking a character.
func clipName(s string) string {
	if len(s) <= connector.MaxNameBytes {
		return s
	}
	return strings.ToValidUTF8(s[:connector.MaxNameBytes], "")
}

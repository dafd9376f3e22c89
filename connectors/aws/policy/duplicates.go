package policy

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// maxDepth bounds how deeply a policy is nested; the language needs six levels.
const maxDepth = 32

// refuseDuplicates walks the JSON text once. Names are compared without regard
// to case, except inside conditions, where values may be tag names.
func refuseDuplicates(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	type level struct {
		object, wantName, exact bool
		names                   map[string]bool
	}
	var stack []level
	name := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) > 0 {
				return errors.New("the policy ends early")
			}
			return nil
		}
		if err != nil {
			return errors.New("the policy is not valid JSON")
		}
		var top *level
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if top != nil && top.object {
			if top.wantName {
				name, _ = token.(string)
				key := name
				if !top.exact {
					key = strings.ToLower(key)
				}
				if top.names[key] {
					return errors.New("the policy has an element twice")
				}
				top.names[key] = true
				top.wantName = false
				continue
			}
			top.wantName = true
		}
		if delim, ok := token.(json.Delim); ok {
			exact := top != nil && top.exact || strings.EqualFold(name, "Condition")
			stack = append(stack, level{object: delim == '{', wantName: delim == '{', exact: exact, names: map[string]bool{}})
			if len(stack) > maxDepth {
				return errors.New("the policy is nested too deeply")
			}
		}
	}
}

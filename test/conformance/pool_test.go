package conformance

import (
	"regexp"
	"slices"

	"pgregory.net/rapid"
)

// idForm is what public ids look like; what comes before the underscore is the
// kind of thing that they name.
var idForm = regexp.MustCompile(`^([a-z]+)_([0-9]{1,19}|[0-9a-f]{32})$`)

// anyID finds ids within texts.
var anyID = regexp.MustCompile(`\b[a-z]+_([0-9a-f]{32}|[0-9]{1,19})\b`)

// What a pool remembers of one name.
const (
	maxRemembered  = 40
	maxRememberedN = 300 // bytes
)

// pool remembers what an actor was answered, for later requests to use.
type pool struct {
	// byName has the values of properties: "action", "name", "integration_id".
	byName map[string][]string
	// byKind has ids by their prefix, and kinds the prefix that values of a
	// property have: "connection_id" is "conn".
	byKind map[string][]string
	kinds  map[string]string
	// seen are all ids, also those that byKind has let go; gone are those that
	// were deleted.
	seen, gone map[string]bool
}

func newPool() *pool {
	return &pool{byName: map[string][]string{}, byKind: map[string][]string{}, kinds: map[string]string{}, seen: map[string]bool{}, gone: map[string]bool{}}
}

// learn takes the strings of an answer. Cursors are good for the list of one
// operation only.
func (p *pool) learn(operation string, body any) {
	switch v := body.(type) {
	case []any:
		for _, each := range v {
			p.learn(operation, each)
		}
	case node:
		if kind, ok := v["kind"].(string); ok {
			if entity, ok := v["entity_id"].(string); ok {
				p.byName[entitiesOf(kind)] = remember(p.byName[entitiesOf(kind)], entity)
			}
		}
		for name, below := range v {
			text, ok := below.(string)
			if !ok {
				p.learn(operation, below)
				continue
			}
			if name == "next_cursor" {
				name = cursorsOf(operation)
			}
			if len(text) == 0 || len(text) > maxRememberedN {
				continue
			}
			if p.gone[text] {
				continue // in a list of what has happened
			}
			p.byName[name] = remember(p.byName[name], text)
			if parts := idForm.FindStringSubmatch(text); parts != nil {
				p.byKind[parts[1]] = remember(p.byKind[parts[1]], text)
				p.kinds[name] = parts[1]
				p.seen[text] = true
			}
		}
	}
}

// forget takes out an id that names nothing any more.
func (p *pool) forget(id string) {
	p.gone[id] = true
	for _, known := range []map[string][]string{p.byKind, p.byName} {
		for name, values := range known {
			known[name] = slices.DeleteFunc(values, func(value string) bool { return value == id })
		}
	}
}

func cursorsOf(operation string) string { return "cursor of " + operation }

func entitiesOf(kind string) string { return "entities of kind " + kind }

// remember keeps the first half of the room for what came first, which later
// requests are the least likely to have deleted.
func remember(known []string, text string) []string {
	if slices.Contains(known, text) {
		return known
	}
	if len(known) == maxRemembered {
		known = slices.Delete(known, maxRemembered/2, maxRemembered/2+1)
	}
	return append(known, text)
}

// draw picks a remembered value, the newest most often. The draw does not depend
// on how many there are, so that a seed means the same although answers may differ.
func draw(t *rapid.T, from []string) (string, bool) {
	i := rapid.Uint16().Draw(t, "remembered")
	if len(from) == 0 {
		return "", false
	}
	return from[len(from)-1-int(i)%len(from)], true
}

// kindOf tells what ids a property or parameter holds, "" if none: by its
// pattern, its example, or what was answered under that name.
func (p *pool) kindOf(name string, n node) string {
	if pattern, ok := n["pattern"].(string); ok {
		if parts := regexp.MustCompile(`^\^([a-z]+)_\[`).FindStringSubmatch(pattern); parts != nil {
			return parts[1]
		}
	}
	for _, example := range list(n["examples"]) {
		text, _ := example.(string)
		if parts := idForm.FindStringSubmatch(text); parts != nil {
			return parts[1]
		}
	}
	return p.kinds[name]
}

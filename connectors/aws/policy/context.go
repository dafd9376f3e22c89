package policy

import (
	"slices"
	"strings"
)

// Context is what is known of a request's context: of each key its values,
// that it is absent, or nothing. Keys are compared without regard to case. The
// zero value knows nothing.
type Context struct {
	values map[string][]string
	// absent are beginnings of keys of which none is present but those in values.
	absent []string
}

// With returns a context that also knows a key's values; without values, that
// the key is absent.
func (c Context) With(key string, values ...string) Context {
	known := make(map[string][]string, len(c.values)+1)
	for k, v := range c.values {
		known[k] = v
	}
	known[strings.ToLower(key)] = values
	c.values = known
	return c
}

// WithoutOthers returns a context that knows that no other key with the
// beginning is present; with "" no other key at all.
func (c Context) WithoutOthers(beginning string) Context {
	c.absent = append(slices.Clone(c.absent), strings.ToLower(beginning))
	return c
}

// Knows reports whether something is known of the key.
func (c Context) Knows(key string) bool {
	_, known := c.lookup(key)
	return known
}

// lookup returns a key's values, none when it is absent.
func (c Context) lookup(key string) (values []string, known bool) {
	key = strings.ToLower(key)
	if values, known = c.values[key]; known {
		return values, true
	}
	return nil, slices.ContainsFunc(c.absent, func(beginning string) bool { return strings.HasPrefix(key, beginning) })
}

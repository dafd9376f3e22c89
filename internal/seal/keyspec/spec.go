package keyspec

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// The kinds of keys.
const (
	Local    = "local"
	AWSKMS   = "awskms"
	Vault    = "vault"
	Azure    = "azurekeyvault"
	GCPKMS   = "gcpkms"
	PGCrypto = "pgcrypto"
)

// Kinds lists the kinds of keys, with what follows each.
func Kinds() []string {
	return []string{
		Local + ":FILE", AWSKMS + ":KEY-ARN", Vault + ":MOUNT/KEY", Azure + ":KEY-URL-WITH-VERSION",
		GCPKMS + ":KEY-RESOURCE-NAME", PGCrypto + ":PASSPHRASE-FILE",
	}
}

// Spec is a setting that names a key.
type Spec struct {
	// Kind is one of the kinds.
	Kind string
	// Name is what stands behind the kind: a path, an ARN, a URL.
	Name    string
	options url.Values
}

// Parse reads a setting. An error says what is accepted.
func Parse(text string) (Spec, error) {
	kind, name, found := strings.Cut(text, ":")
	known := slices.ContainsFunc(Kinds(), func(k string) bool { return strings.HasPrefix(k, kind+":") })
	if !found || !known {
		return Spec{}, fmt.Errorf("%q names no key; keys are named %s", text, strings.Join(Kinds(), ", "))
	}
	s := Spec{Kind: kind, Name: name}
	if kind != Local && kind != PGCrypto {
		// A file may be called anything; other names have no question mark.
		var options string
		var err error
		s.Name, options, _ = strings.Cut(name, "?")
		if s.options, err = url.ParseQuery(options); err != nil {
			return Spec{}, fmt.Errorf("the options of the key %s:%s cannot be read: write them as ?name=value&name=value", kind, s.Name)
		}
	}
	if s.Name == "" {
		return Spec{}, fmt.Errorf("%q lacks the name of the key behind its kind, %s", text, kind)
	}
	return s, nil
}

// Option returns an option's value; empty when it was not given.
func (s Spec) Option(name string) string { return s.options.Get(name) }

// Allow returns an error if the setting has an option other than these, or one
// twice.
func (s Spec) Allow(names ...string) error {
	for given, values := range s.options {
		if !slices.Contains(names, given) {
			if len(names) == 0 {
				return fmt.Errorf("the key %s:%s takes no options, and %s was given", s.Kind, s.Name, given)
			}
			return fmt.Errorf("the key %s:%s has no option %s; its options are %s", s.Kind, s.Name, given, strings.Join(names, ", "))
		}
		if len(values) != 1 {
			return fmt.Errorf("the key %s:%s has the option %s more than once", s.Kind, s.Name, given)
		}
	}
	return nil
}

package form

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxFile bounds what is read of a file for one field: 1 MiB, the API's bound.
const maxFile = 1 << 20

// Input is what a person gave for the fields of a schema, each as name=value.
type Input struct {
	// Set holds values, Files paths to read them from ("-" is standard input)
	// and Env names of environment variables.
	Set, Files, Env []string
	// Refs holds references to secrets kept elsewhere, such as "env:NAME".
	Refs []string
	// Flag is the flag that Set comes from, such as "--set"; the two others
	// append -file and -env to it.
	Flag string
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Getenv looks an environment variable up.
	Getenv func(string) (string, bool)
}

// InputError is a mistake in what was given.
type InputError struct {
	// Field is the schema's root and the field, such as "configuration.region".
	Field   string
	Message string
}

func (e *InputError) Error() string { return e.Field + ": " + e.Message }

// Read returns the values by field. A field may be given once. Errors about
// what was given are [*InputError]; a field that the schema does not have is
// named before anything is read.
func (in Input) Read(s *Schema) (map[string]json.RawMessage, error) {
	for _, pair := range slices.Concat(in.Set, in.Files, in.Env, in.Refs) {
		// What has no name is refused below, with the flag it came from.
		if name, _, ok := strings.Cut(pair, "="); ok && name != "" {
			if err := s.checkName(name); err != nil {
				return nil, err
			}
		}
	}
	values := map[string]json.RawMessage{}
	stdinTaken := ""
	add := func(pairs []string, flag string, value func(name, source string) (string, error)) error {
		for _, pair := range pairs {
			name, source, ok := strings.Cut(pair, "=")
			if !ok || name == "" {
				// The text is not repeated: it may be a secret without its name.
				return &InputError{Field: s.root, Message: fmt.Sprintf("%s wants name=value", flag)}
			}
			at := s.root + "." + name
			if _, twice := values[name]; twice {
				return &InputError{Field: at, Message: "is given twice"}
			}
			text, err := value(name, source)
			if err != nil {
				return &InputError{Field: at, Message: err.Error()}
			}
			field, _ := s.Field(name)
			if values[name], err = field.Parse(text); err != nil {
				return &InputError{Field: at, Message: err.Error()}
			}
		}
		return nil
	}
	plain := func(name, source string) (string, error) {
		if field, _ := s.Field(name); field.Secret {
			return "", fmt.Errorf("is a secret, and arguments are visible to everyone on this machine; %s", Ways(in.Flag, name))
		}
		return source, nil
	}
	file := func(name, path string) (string, error) {
		if path != "-" {
			return readFile(path)
		}
		if stdinTaken != "" {
			return "", fmt.Errorf("standard input is already read for %s", stdinTaken)
		}
		stdinTaken = name
		return readAll(in.Stdin)
	}
	env := func(_, variable string) (string, error) {
		value, ok := in.Getenv(variable)
		if !ok || value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", variable)
		}
		return value, nil
	}
	if err := in.references(s, values); err != nil {
		return nil, err
	}
	if err := add(in.Set, in.Flag, plain); err != nil {
		return nil, err
	}
	if err := add(in.Files, in.Flag+"-file", file); err != nil {
		return nil, err
	}
	return values, add(in.Env, in.Flag+"-env", env)
}

// references adds the fields that refer to a secret. Whether there is one, and
// whether it may be used, is the server's to say.
func (in Input) references(s *Schema, values map[string]json.RawMessage) error {
	for _, pair := range in.Refs {
		name, ref, ok := strings.Cut(pair, "=")
		at := s.root + "." + name
		switch field, _ := s.Field(name); {
		case !ok || name == "" || ref == "":
			return &InputError{Field: s.root, Message: "--ref wants name=kind:where, such as secret_access_key=env:AWS_SECRET"}
		case !field.Secret:
			return &InputError{Field: at, Message: "is no secret; give its value with " + in.Flag}
		case values[name] != nil:
			return &InputError{Field: at, Message: "is given twice"}
		}
		raw, err := json.Marshal(map[string]string{"$ref": ref})
		if err != nil {
			return fmt.Errorf("encode %s: %w", at, err)
		}
		values[name] = raw
	}
	return nil
}

// Ways says how to give a secret field.
func Ways(flag, name string) string {
	return fmt.Sprintf("give it with %s-file %s=PATH (- is standard input), with %s-env %s=VARIABLE, with --ref %s=KIND:WHERE for one that is kept elsewhere, or leave it out and be asked on a terminal", flag, name, flag, name, name)
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readAll(f)
}

// readAll reads a value and takes off one line end, which editors and echo add.
func readAll(r io.Reader) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	if len(raw) > maxFile {
		return "", fmt.Errorf("is larger than %d bytes", maxFile)
	}
	text := strings.TrimSuffix(string(raw), "\n")
	return strings.TrimSuffix(text, "\r"), nil
}

package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// maxSecretBytes bounds a secret: 64 KiB, the most that AWS Secrets Manager
// keeps.
const maxSecretBytes = 64 << 10

// Resolver resolves what its list allows.
type Resolver struct {
	rules  []rule
	lookup func(name string) (string, bool)
}

var _ connection.Resolver = (*Resolver)(nil)

// New returns a resolver for the operator's list. An empty list allows nothing.
func New(allow []string) (*Resolver, error) {
	r := &Resolver{lookup: os.LookupEnv}
	for _, text := range allow {
		parsed, err := parseRule(text)
		if err != nil {
			return nil, err
		}
		r.rules = append(r.rules, parsed)
	}
	return r, nil
}

// Allowed compares a workspace's reference with the list.
func (r *Resolver) Allowed(scope id.Scope, ref integration.Reference) error {
	if slices.ContainsFunc(r.rules, func(a rule) bool { return a.allows(scope.Workspace, ref) }) {
		return nil
	}
	return errNotAllowed
}

// Resolve looks the secret up.
func (r *Resolver) Resolve(ctx context.Context, scope id.Scope, ref integration.Reference) (secret.Secret, error) {
	if err := r.Allowed(scope, ref); err != nil {
		return secret.Secret{}, fault.Wrap(fault.Invalid, err, "the operator of this server does not allow the reference")
	}
	var text string
	var err error
	switch ref.Kind {
	case integration.EnvReference:
		var set bool
		if text, set = r.lookup(ref.Target); !set {
			err = fault.New(fault.Invalid, "the environment variable that it refers to is not set in the integrations service")
		}
	case integration.FileReference:
		text, err = r.file(scope, ref)
	case integration.AWSSecretsManagerReference:
		text, err = fromSecretsManager(ctx, ref.Target)
	default:
		err = fault.New(fault.Invalid, "this version knows no references of the kind %s", ref.Kind)
	}
	if err != nil {
		return secret.Secret{}, err
	}
	if text == "" || !utf8.ValidString(text) {
		return secret.Secret{}, fault.New(fault.Invalid, "the secret that it refers to is empty or no text")
	}
	return secret.FromString(text), nil
}

// file reads a secret without its line end. A link that leads out of the
// directory that was allowed is not followed; one inside of it is, because that
// is how Kubernetes mounts secrets.
func (r *Resolver) file(scope id.Scope, ref integration.Reference) (string, error) {
	directory := filepath.Dir(ref.Target)
	for _, a := range r.rules {
		if a.prefix && a.allows(scope.Workspace, ref) {
			directory = a.target
		}
	}
	inside, err := filepath.Rel(directory, ref.Target)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the file that it refers to cannot be read")
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return "", unreadable(err)
	}
	// Nothing was written that closing could lose.
	defer func() { _ = root.Close() }()
	info, err := root.Stat(inside)
	if err != nil {
		return "", unreadable(err)
	}
	// A pipe would be waited for.
	if !info.Mode().IsRegular() || info.Size() > maxSecretBytes {
		return "", fault.New(fault.Invalid, "what it refers to is not a file of at most %d bytes", maxSecretBytes)
	}
	file, err := root.Open(inside)
	if err != nil {
		return "", unreadable(err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxSecretBytes))
	defer clear(raw)
	if err != nil {
		return "", unreadable(err)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Invalid, err, "the file that it refers to is not there")
	}
	return fault.Wrap(fault.Invalid, fmt.Errorf("read a referred file: %w", err), "the file that it refers to cannot be read")
}

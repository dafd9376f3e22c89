package reference

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// errNotAllowed says nothing of what is allowed.
var errNotAllowed = errors.New("the operator does not allow this reference")

// allWorkspaces stands in a rule where one workspace could.
const allWorkspaces = "*"

// rule is one entry of the operator's list.
type rule struct {
	// workspace is whose connections may refer; zero for those of all.
	workspace    id.Workspace
	kind, target string
	// prefix allows everything that begins with target.
	prefix bool
}

// parseRule reads an entry: a workspace or a star, an equals sign, and a
// reference, or the beginning of one and a star behind it. For files a directory
// and a slash allow what is in it.
func parseRule(text string) (rule, error) {
	who, what, ok := strings.Cut(text, "=")
	var w id.Workspace
	if who != allWorkspaces {
		if err := w.UnmarshalText([]byte(who)); err != nil || !ok {
			return rule{}, fmt.Errorf("%q does not begin with the workspace that it is for; write w_123=env:NAME, or *=env:NAME for all workspaces", text)
		}
	}
	r, err := integration.ParseReference(what)
	if err != nil {
		return rule{}, fmt.Errorf("%q: behind the = it %w, with * at the end for all that begin so", text, err)
	}
	parsed := rule{workspace: w, kind: r.Kind, target: r.Target}
	if r.Kind == integration.FileReference {
		parsed.prefix = strings.HasSuffix(r.Target, "/")
		if strings.Contains(r.Target, "*") || !filepath.IsAbs(r.Target) {
			return rule{}, fmt.Errorf("%q must be an absolute path, or a directory with / behind it, without *", text)
		}
		parsed.target = filepath.Clean(r.Target)
		return parsed, nil
	}
	parsed.target, parsed.prefix = strings.CutSuffix(r.Target, "*")
	if strings.Contains(parsed.target, "*") || (parsed.prefix && parsed.target == "") {
		return rule{}, fmt.Errorf("%q may have one *, at the end and behind something", text)
	}
	return parsed, nil
}

// allows reports whether the rule allows a workspace a reference.
func (r rule) allows(w id.Workspace, ref integration.Reference) bool {
	if r.kind != ref.Kind || (r.workspace != 0 && r.workspace != w) {
		return false
	}
	target := ref.Target
	switch ref.Kind {
	case integration.FileReference:
		// A path is taken as it is written or not at all.
		if !filepath.IsAbs(target) || filepath.Clean(target) != target {
			return false
		}
		if r.prefix {
			return strings.HasPrefix(target, strings.TrimSuffix(r.target, "/")+"/")
		}
		return target == r.target
	case integration.AWSSecretsManagerReference:
		target, _, _ = strings.Cut(target, "#")
	}
	return target == r.target || (r.prefix && strings.HasPrefix(target, r.target))
}

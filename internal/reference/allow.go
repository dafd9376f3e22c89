package reference

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// errNotAllowed says nothing of what is allowed.
var errNotAllowed = errors.New("the operator does not allow this reference")

// rule is one entry of the operator's list.
type rule struct {
	kind, target string
	// prefix allows everything that begins with target.
	prefix bool
}

// parseRule reads an entry: a reference, or the beginning of one and a star
// behind it. For files a directory and a slash allow what is in it.
func parseRule(text string) (rule, error) {
	r, err := integration.ParseReference(text)
	if err != nil {
		return rule{}, fmt.Errorf("%q %w, with * at the end for all that begin so", text, err)
	}
	parsed := rule{kind: r.Kind, target: r.Target}
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

// allows reports whether the rule allows a reference.
func (r rule) allows(ref integration.Reference) bool {
	if r.kind != ref.Kind {
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

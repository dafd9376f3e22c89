package aws

import (
	"slices"
	"strings"
)

// resourceKind is a kind of resource that grants are expanded to.
type resourceKind struct {
	service string
	// unbound are the service's actions that are not taken on such a resource
	// although they are written with it in "*".
	unbound []string
}

// The kinds of resource that grants are expanded to. The unbound actions are
// those of the service authorization reference that name no bucket, object or
// function and occur in policies often.
func bucketKind() resourceKind {
	return resourceKind{service: "s3", unbound: []string{
		"s3:listallmybuckets", "s3:getaccountpublicaccessblock", "s3:putaccountpublicaccessblock",
		"s3:listaccesspoints", "s3:listjobs", "s3:createjob", "s3:liststoragelensconfigurations",
	}}
}

func functionKind() resourceKind {
	return resourceKind{service: "lambda", unbound: []string{
		"lambda:listfunctions", "lambda:listlayers", "lambda:listlayerversions", "lambda:getaccountsettings",
		"lambda:listeventsourcemappings", "lambda:createeventsourcemapping", "lambda:createcodesigningconfig", "lambda:listcodesigningconfigs",
	}}
}

// concernedBy reports whether an action pattern covers at least one action
// that is taken on a resource of the kind.
func (k resourceKind) concernedBy(action string) bool {
	action = strings.ToLower(action)
	return globPrefix(action, k.service+":") && !slices.Contains(k.unbound, action)
}

// actionsOn returns the patterns of a statement that concern the kind.
func (k resourceKind) actionsOn(actions []string) []string {
	return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !k.concernedBy(a) })
}

// covered says how much of a resource a pattern speaks of.
type covered struct {
	itself   bool // the bucket or function
	contents bool // objects in the bucket; versions and aliases of the function
}

// coverage tells what of the resource with that ARN the pattern speaks of.
// separator is what stands between the ARN and what is inside the resource.
// Wildcards do not reach across the first five colons of an ARN (IAM user
// guide, "Resource"); a pattern with fewer, such as "*", is taken as a whole.
func coverage(pattern, arn, separator string) covered {
	pattern = openVariables(pattern)
	patterns, parts := strings.SplitN(pattern, ":", arnParts), strings.SplitN(arn, ":", arnParts)
	if len(patterns) == arnParts && len(parts) == arnParts {
		for i := range arnParts - 1 {
			if !globMatch(patterns[i], parts[i]) {
				return covered{}
			}
		}
		pattern, arn = patterns[arnParts-1], parts[arnParts-1]
	}
	return covered{itself: globMatch(pattern, arn), contents: globPrefix(pattern, arn+separator)}
}

// arnParts is how many parts an ARN has: arn, partition, service, region,
// account and the rest, which may hold more colons.
const arnParts = 6

// excludes reports whether NotResource patterns leave out the resource and all
// that is in it. Leaving out only a part does not count.
func excludes(patterns []string, arn, separator string) bool {
	itself, contents := false, false
	for _, p := range patterns {
		itself = itself || globMatch(p, arn)
		contents = contents || globMatch(p, arn+separator+"*")
	}
	return itself && contents
}

// openVariables replaces policy variables such as ${aws:username} by a
// wildcard, since their value depends on the request. ${*}, ${?} and ${$} are
// AWS's way to write those characters literally; the first two are left as
// wildcards, which covers them.
func openVariables(pattern string) string {
	if !strings.Contains(pattern, "${") {
		return pattern
	}
	var b strings.Builder
	for {
		i := strings.Index(pattern, "${")
		j := -1
		if i >= 0 {
			j = strings.IndexByte(pattern[i:], '}')
		}
		if i < 0 || j < 0 {
			b.WriteString(pattern)
			return b.String()
		}
		b.WriteString(pattern[:i])
		switch variable := pattern[i+2 : i+j]; variable {
		case "$", "?":
			b.WriteString(variable)
		default:
			b.WriteByte('*')
		}
		pattern = pattern[i+j+1:]
	}
}

// globMatch reports whether the pattern, in which * stands for any text and ?
// for one byte, matches all of s. It takes linear memory and no recursion, so
// that no pattern is expensive.
func globMatch(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// globPrefix reports whether the pattern matches some text that starts with
// prefix.
func globPrefix(pattern, prefix string) bool {
	p, i := 0, 0
	for i < len(prefix) {
		if p == len(pattern) {
			return false
		}
		switch pattern[p] {
		case '*':
			return true // the star takes the rest; what follows it can be supplied
		case '?', prefix[i]:
			p++
			i++
		default:
			return false
		}
	}
	return true
}

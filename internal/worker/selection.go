package worker

import (
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// narrow leaves of a plan what the run was asked to read: the streams with those
// that they depend on, and of streams with partitions the ones that were named. It
// is then no longer all there is in scope, so nothing is retired for what it
// leaves out. A part that was named and is not in scope is an error, which would
// otherwise look like a part that has nothing in it.
func narrow(m connector.Manifest, plan connector.Plan, asked workerapi.Selection) (connector.Plan, error) {
	if len(asked.Streams) == 0 && len(asked.Partitions) == 0 {
		return plan, nil
	}
	streams := withDependencies(m, asked.Streams)
	narrowed := connector.Plan{}
	found := map[string]bool{}
	for _, p := range plan.Partitions {
		if len(streams) > 0 && !streams[p.Stream] {
			continue
		}
		if len(asked.Partitions) > 0 && p.Key != "" && !slices.Contains(asked.Partitions, p.Key) {
			continue
		}
		found[p.Key] = true
		narrowed.Partitions = append(narrowed.Partitions, p)
	}
	for _, key := range asked.Partitions {
		if !found[key] {
			return connector.Plan{}, &connector.Error{
				Category: connector.ScopeInvalid, Message: fmt.Sprintf("the run was asked to read the part %.64q, which is not in the connection's scope", key),
			}
		}
	}
	if len(narrowed.Partitions) == 0 {
		return connector.Plan{}, &connector.Error{
			Category: connector.ScopeInvalid, Message: "nothing in the connection's scope is of the streams that the run was asked to read",
		}
	}
	return narrowed, nil
}

// withDependencies returns the streams and all that they depend on, directly or
// not.
func withDependencies(m connector.Manifest, names []string) map[string]bool {
	all := map[string]bool{}
	for open := slices.Clone(names); len(open) > 0; {
		name := open[0]
		open = open[1:]
		if s, ok := m.Stream(name); ok && !all[name] {
			open = append(open, s.DependsOn...)
		}
		all[name] = true
	}
	return all
}

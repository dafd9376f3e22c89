package checkup

import (
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Findings gathers what a check finds. The zero value is ready to use; it is not safe
// for concurrent use.
type Findings struct {
	missing map[string]bool // by permission
	other   map[string]bool // by stream
	found   []*connector.Error
}

// Note keeps a finding, once; a missing permission once for each thing that it is
// missing on. A missing permission concerns each stream that needs it, every other
// finding the stream that is named; empty for none.
func (f *Findings) Note(e *connector.Error, stream string) {
	if f.missing == nil {
		f.missing, f.other = map[string]bool{}, map[string]bool{}
	}
	if e.Category == connector.PermissionDenied {
		f.missing[e.Permission] = true
	} else {
		f.other[stream] = true
	}
	if !slices.ContainsFunc(f.found, func(o *connector.Error) bool { return same(o, e) }) {
		f.found = append(f.found, e)
	}
}

func same(a, b *connector.Error) bool {
	if a.Category == connector.PermissionDenied && b.Category == connector.PermissionDenied {
		return a.Permission == b.Permission && a.On == b.On
	}
	return a.Error() == b.Error()
}

// Missing reports whether a permission was noted as missing.
func (f *Findings) Missing(permission string) bool { return f.missing[permission] }

// Errors returns the findings in the order in which they were noted first.
func (f *Findings) Errors() []*connector.Error { return slices.Clone(f.found) }

// Outlook says for each stream what a run would get. One that the configuration does
// not ask for is skipped and misses nothing.
func (f *Findings) Outlook(streams []connector.Stream, reads func(stream string) bool) []connector.StreamOutlook {
	all := make([]connector.StreamOutlook, 0, len(streams))
	for _, stream := range streams {
		o := connector.StreamOutlook{Stream: stream.Name, Coverage: connector.Complete}
		if !reads(stream.Name) {
			o.Coverage = connector.Skipped
			all = append(all, o)
			continue
		}
		for _, p := range stream.Permissions {
			if f.missing[p.Name] {
				o.Missing = append(o.Missing, p.Name)
			}
		}
		if len(o.Missing) > 0 || f.other[stream.Name] {
			o.Coverage = connector.Partial
		}
		all = append(all, o)
	}
	return all
}

// Sufficient reports whether all streams that are not optional would be complete.
// outlook is in the order of streams.
func Sufficient(streams []connector.Stream, outlook []connector.StreamOutlook) bool {
	for i, stream := range streams {
		if !stream.Optional && outlook[i].Coverage != connector.Complete {
			return false
		}
	}
	return true
}

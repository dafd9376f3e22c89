package operation

// Protection is what an operation must have to itself, or shares, while it is
// under way. Decision 0020 says why each protects what it does.
type Protection string

// The protections.
const (
	ProtectsNothing    Protection = "nothing"
	ProtectsConnection Protection = "connection"
	// ProtectsDirectory is for what copies a target's directory.
	ProtectsDirectory Protection = "target_directory"
	// SharesPolicies is for what reads a target's policies, any number side by
	// side.
	SharesPolicies Protection = "target_policies_shared"
	// ProtectsTarget is for what changes a target.
	ProtectsTarget Protection = "target"
)

// Parts is which parts of a target a hold covers: from First up to, not
// including, End.
type Parts struct {
	First, End int32
}

// TargetHold is what an operation holds of its target.
type TargetHold struct {
	Parts Parts
	// Shared holds of the same parts stand beside each other; any other two do
	// not.
	Shared bool
}

// The parts of a target, in an order of their own; a new one goes before end.
const (
	directoryPart int32 = iota + 1
	policiesPart
	endOfParts
)

// TargetHold returns what is held of the target; ok is false when nothing is.
func (p Protection) TargetHold() (h TargetHold, ok bool) {
	switch p {
	case ProtectsDirectory:
		return TargetHold{Parts: Parts{directoryPart, directoryPart + 1}}, true
	case SharesPolicies:
		return TargetHold{Parts: Parts{policiesPart, policiesPart + 1}, Shared: true}, true
	case ProtectsTarget:
		return TargetHold{Parts: Parts{directoryPart, endOfParts}}, true
	}
	return TargetHold{}, false
}

// Conflicts reports whether two holds of the same target cannot stand beside each
// other. The database decides with a constraint that says the same.
func (h TargetHold) Conflicts(other TargetHold) bool {
	overlap := h.Parts.First < other.Parts.End && other.Parts.First < h.Parts.End
	return overlap && !(h.Shared && other.Shared)
}

// Names what is protected, for messages: "the connection".
func (p Protection) Names() string {
	switch p {
	case ProtectsConnection:
		return "the connection"
	case ProtectsDirectory:
		return "the organisation's directory"
	case SharesPolicies:
		return "the organisation's policies"
	case ProtectsTarget:
		return "the organisation"
	}
	return "nothing"
}

// Shared reports whether others may hold the same beside it.
func (p Protection) Shared() bool { return p == SharesPolicies || p == ProtectsNothing }

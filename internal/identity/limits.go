package identity

// An identifier that more principals share than this names none of them, and
// joins nobody: a mailbox of a team, a placeholder of an import.
const (
	// MaxSharedInConnection is the most principals of one connection.
	MaxSharedInConnection = 5
	// MaxShared is the most of all connections.
	MaxShared = 200
)

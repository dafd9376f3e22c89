package main

// input is a line that is read: a tuple, the end of them, or a question.
type input struct {
	// User, Relation and Object make a tuple, in OpenFGA's words.
	User     string `json:"user,omitempty"`
	Relation string `json:"relation,omitempty"`
	Object   string `json:"object,omitempty"`
	// Loaded says that no more tuples come.
	Loaded bool `json:"loaded,omitempty"`
	// List is "users" or "objects", Of the resource or account that is asked
	// about.
	List string `json:"list,omitempty"`
	Of   string `json:"of,omitempty"`
	// Most is the largest answer; 0 bounds it by nothing.
	Most uint32 `json:"most,omitempty"`
}

// loaded is the line after the tuples.
type loaded struct {
	Tuples      int   `json:"tuples"`
	Nanoseconds int64 `json:"nanoseconds"`
}

// answer is the line after a question.
type answer struct {
	Nanoseconds int64 `json:"nanoseconds"`
	// Found are the accounts or resources, in OpenFGA's order.
	Found []string `json:"found"`
}

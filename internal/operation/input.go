package operation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// Input is what a start says beside its connection, checked. Its JSON is what a
// run stores; the zero value is a start that says nothing.
type Input struct {
	// Streams are the streams of a discovery that are read, and with them those
	// that they depend on; all when empty. Sorted, each once.
	Streams []string `json:"streams,omitempty"`
	// Partitions are the keys of the partitions that are read of streams with
	// partitions, such as account numbers; all when empty. Sorted, each once.
	Partitions []string `json:"partitions,omitempty"`
	// SelectionKey names which groups are synced.
	SelectionKey string `json:"selection_key,omitempty"`
	// RestoreRun is the previewed restore that is executed.
	RestoreRun id.Restore `json:"restore_run_id,omitzero"`
}

// Narrows reports whether a discovery reads less than its connection's scope.
// Nothing outside what it reads is taken to be gone.
func (in Input) Narrows() bool { return len(in.Streams) > 0 || len(in.Partitions) > 0 }

// FieldKind is how an input's field is written.
type FieldKind string

// The kinds.
const (
	Text FieldKind = "text"
	// List is a list of texts.
	List FieldKind = "list"
)

// Field is one thing that a start may say.
type Field struct {
	Name        string
	Kind        FieldKind
	Description string
	// Default is what a start says that leaves a text out.
	Default  string
	Required bool
}

// AllGroups is the selection of groups of a start that names none.
const AllGroups = "all_groups_v1"

// Limits of inputs.
const (
	maxItems    = 200
	maxItemSize = 1024
)

func streamsField() Field {
	return Field{Name: "streams", Kind: List, Description: "Read only these streams of the integration, and those that they depend on; all when left out."}
}

func partitionsField() Field {
	return Field{Name: "partitions", Kind: List, Description: "Of streams that are read in parts, only the parts with these keys, such as account numbers; all when left out."}
}

func selectionKeyField() Field {
	return Field{Name: "selection_key", Kind: Text, Description: "Which groups to sync.", Default: AllGroups}
}

func restoreRunField() Field {
	return Field{Name: "restore_run_id", Kind: Text, Description: "The previewed restore to execute.", Required: true}
}

// selectionKey is the form of the name of a selection.
var selectionKey = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)

// ReadInput checks what a start says; nil and null say nothing. The error is
// Invalid and names each field that is wrong, below "input".
func (o Operation) ReadInput(raw json.RawMessage) (Input, error) {
	said := map[string]json.RawMessage{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &said); err != nil {
			return Input{}, fault.InvalidField("input", "must be a JSON object")
		}
	}
	var in Input
	var wrong []fault.Field
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if problem := o.readField(&in, name, said[name]); problem != "" {
			wrong = append(wrong, fault.Field{Path: "input." + name, Message: problem})
		}
	}
	for _, f := range o.Inputs {
		if _, ok := said[f.Name]; !ok && f.Required {
			wrong = append(wrong, fault.Field{Path: "input." + f.Name, Message: "is missing"})
		}
	}
	if len(wrong) > 0 {
		return Input{}, fault.InvalidFields(wrong...)
	}
	if o.Type == GroupsSync && in.SelectionKey == "" {
		in.SelectionKey = AllGroups
	}
	return in, nil
}

// readField reads one field and says what is wrong with it, if anything is.
func (o Operation) readField(in *Input, name string, raw json.RawMessage) (problem string) {
	if !slices.ContainsFunc(o.Inputs, func(f Field) bool { return f.Name == name }) {
		return o.unknown(name)
	}
	switch name {
	case "streams":
		in.Streams, problem = readList(raw)
	case "partitions":
		in.Partitions, problem = readList(raw)
	case "selection_key":
		if json.Unmarshal(raw, &in.SelectionKey) != nil || !selectionKey.MatchString(in.SelectionKey) {
			return "must be 1 to 64 lower-case letters, digits, dots, dashes or underscores, such as " + AllGroups
		}
	case "restore_run_id":
		if json.Unmarshal(raw, &in.RestoreRun) != nil || in.RestoreRun == 0 {
			return "must be the id of a restore, such as rst_12"
		}
	}
	return problem
}

func (o Operation) unknown(name string) string {
	var known []string
	for _, f := range o.Inputs {
		known = append(known, f.Name)
	}
	if len(known) == 0 {
		return fmt.Sprintf("is not known; %s takes no input", o.Type)
	}
	if near := nearest.Name(name, known); near != "" {
		return "is not known; did you mean " + near + "?"
	}
	return fmt.Sprintf("is not known; %s takes %s", o.Type, strings.Join(known, " and "))
}

func readList(raw json.RawMessage) (list []string, problem string) {
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > maxItems {
		return nil, fmt.Sprintf("must be a list of 1 to %d texts; leave it out for all", maxItems)
	}
	for _, item := range list {
		if item == "" || len(item) > maxItemSize || !utf8.ValidString(item) || strings.ContainsRune(item, 0) {
			return nil, fmt.Sprintf("must hold texts of 1 to %d bytes", maxItemSize)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), ""
}

// DedupeKey is what tells starts apart that are not the same; empty for an
// operation of which each start is one of its own.
func (o Operation) DedupeKey(c id.Connection, in Input) string {
	if !o.Dedupes {
		return ""
	}
	key := fmt.Sprintf("%s:%d", o.Type, int64(c))
	switch {
	case in.SelectionKey != "":
		key += ":" + in.SelectionKey
	case in.RestoreRun != 0:
		key += ":" + in.RestoreRun.String()
	case in.Narrows():
		// Hashed, because an index takes no key as long as a selection can be.
		h := sha256.New()
		for _, list := range [][]string{in.Streams, in.Partitions} {
			for _, item := range list {
				fmt.Fprintf(h, "%d:%s", len(item), item)
			}
			h.Write([]byte{0})
		}
		key += ":" + hex.EncodeToString(h.Sum(nil)[:16])
	}
	return key
}

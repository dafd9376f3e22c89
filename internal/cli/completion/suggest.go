package completion

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is a word that fits.
type Candidate struct {
	Word string
	// Help says what the word is; it may be empty.
	Help string
}

// Answer is what completes a command line.
type Answer struct {
	Candidates []Candidate
	// Files says that names of files fit, too.
	Files bool
}

// Source lists the candidates of a kind, the value of a field's complete tag.
type Source func(kind string) []Candidate

// filesKind is the kind of fields that name a file or directory.
const filesKind = "files"

// Suggest completes the last of the words, which may be empty. The words are
// those behind the program's name.
func Suggest(app *kong.Application, words []string, source Source) Answer {
	if len(words) == 0 {
		words = []string{""}
	}
	s := &state{node: app.Node}
	last := words[len(words)-1]
	for _, word := range words[:len(words)-1] {
		s.take(word)
	}
	return s.complete(last, source)
}

// state is how far a command line has been read.
type state struct {
	node *kong.Node
	// positionals counts the arguments of the node that were given.
	positionals int
	// pending is a flag whose value comes next.
	pending *kong.Flag
	// literal is set behind "--", where nothing is a flag.
	literal bool
}

func (s *state) take(word string) {
	switch {
	case s.pending != nil:
		s.pending = nil
	case s.literal:
		s.positionals++
	case word == "--":
		s.literal = true
	case strings.HasPrefix(word, "-") && len(word) > 1:
		name, _, hasValue := strings.Cut(word, "=")
		if f := s.flag(name); f != nil && !hasValue && takesValue(f) {
			s.pending = f
		}
	default:
		if child := s.child(word); child != nil && s.positionals == 0 {
			s.node = child
		} else {
			s.positionals++
		}
	}
}

func (s *state) complete(word string, source Source) Answer {
	if s.pending != nil {
		return values(s.pending.Value, "", word, source)
	}
	if !s.literal && strings.HasPrefix(word, "-") {
		name, value, hasValue := strings.Cut(word, "=")
		if f := s.flag(name); hasValue && f != nil {
			return values(f.Value, name+"=", value, source)
		}
		return Answer{Candidates: fitting(s.flags(), "", word)}
	}
	var a Answer
	if s.positionals == 0 && !s.literal {
		a.Candidates = fitting(s.children(), "", word)
	}
	if s.positionals < len(s.node.Positional) {
		more := values(s.node.Positional[s.positionals], "", word, source)
		a.Candidates, a.Files = append(a.Candidates, more.Candidates...), more.Files
	}
	return a
}

func (s *state) child(name string) *kong.Node {
	for _, c := range s.node.Children {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return c
		}
	}
	return nil
}

func (s *state) children() []Candidate {
	var found []Candidate
	for _, c := range s.node.Children {
		if !c.Hidden {
			found = append(found, Candidate{Word: c.Name, Help: c.Help})
		}
	}
	return found
}

// flag finds a flag by "--name" or "-n" among those of the node, of what is
// above it, and of the command that stands for it when none is named.
func (s *state) flag(word string) *kong.Flag {
	for _, f := range s.known() {
		if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

func (s *state) flags() []Candidate {
	var found []Candidate
	for _, f := range s.known() {
		if !f.Hidden {
			found = append(found, Candidate{Word: "--" + f.Name, Help: f.Help})
		}
	}
	return found
}

func (s *state) known() []*kong.Flag {
	node := s.node
	if node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	var all []*kong.Flag
	for _, level := range node.AllFlags(false) {
		all = append(all, level...)
	}
	return all
}

func takesValue(f *kong.Flag) bool { return !f.IsBool() && !f.IsCounter() }

// values completes a value that begins with word; prefix stands before it in
// the same word.
func values(v *kong.Value, prefix, word string, source Source) Answer {
	if v.Enum != "" {
		var found []Candidate
		for _, e := range strings.Split(v.Enum, ",") {
			if e != "" {
				found = append(found, Candidate{Word: e})
			}
		}
		return Answer{Candidates: fitting(found, prefix, word)}
	}
	switch kind := v.Tag.Get("complete"); kind {
	case "":
		return Answer{}
	case filesKind:
		return Answer{Files: true}
	default:
		return Answer{Candidates: fitting(source(kind), prefix, word)}
	}
}

func fitting(all []Candidate, prefix, word string) []Candidate {
	var found []Candidate
	for _, c := range all {
		if strings.HasPrefix(c.Word, word) {
			found = append(found, Candidate{Word: prefix + c.Word, Help: c.Help})
		}
	}
	return found
}

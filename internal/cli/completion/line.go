package completion

import "strings"

// Split reads a command line up to the cursor as a shell would: words between
// blanks, with quotes and backslashes taken out. The last word is the one being
// typed, empty behind a blank; the first, the program, is left out.
func Split(line string) []string {
	var (
		words  []string
		word   strings.Builder
		quote  rune
		escape bool
		inWord bool
	)
	for _, c := range line {
		switch {
		case escape:
			word.WriteRune(c)
			escape = false
		case c == '\\' && quote != '\'':
			escape, inWord = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	words = append(words, word.String())
	return words[1:]
}

// Tail is what is left of a candidate where the shell has split the word being
// typed at each = and : and replaces only what stands behind the last.
func Tail(typed string, candidate Candidate) Candidate {
	if i := strings.LastIndexAny(typed, "=:"); i >= 0 && strings.HasPrefix(candidate.Word, typed[:i+1]) {
		candidate.Word = candidate.Word[i+1:]
	}
	return candidate
}

package nearest

import "strings"

// Name returns the known name that given was probably meant to be, or "" when
// none is near: at most two slips apart, or one for every three bytes of a
// longer name. Upper and lower case are the same. Of equally near names the
// first is returned.
func Name(given string, known []string) string {
	best, least := "", max(2, len(given)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(given), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

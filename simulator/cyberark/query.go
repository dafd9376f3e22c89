package cyberark

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// query is as much of SQL as lists take: columns of one table, comparisons with
// texts that all have to hold, and an order by one column.
type query struct {
	columns []string // nil for all
	table   string
	where   []condition
	order   string // empty for none
}

type condition struct {
	column, operator, text string
}

var (
	selectForm    = regexp.MustCompile(`(?is)^\s*select\s+(.+?)\s+from\s+(\w+)(?:\s+where\s+(.+?))?(?:\s+order\s+by\s+(\w+)(?:\s+collate\s+nocase)?)?\s*$`)
	conditionForm = regexp.MustCompile(`(?is)^\s*(\w+)\s*(=|>=|<=|>|<)\s*'((?:[^']|'')*)'\s*(?:and\b|$)`)
)

func parseQuery(text string) (query, error) {
	m := selectForm.FindStringSubmatch(text)
	if m == nil {
		return query{}, fmt.Errorf("near %q: syntax error", clip(text))
	}
	q := query{table: strings.ToLower(m[2]), order: m[4]}
	if strings.TrimSpace(m[1]) != "*" {
		for column := range strings.SplitSeq(m[1], ",") {
			q.columns = append(q.columns, strings.TrimSpace(column))
		}
	}
	for rest := m[3]; strings.TrimSpace(rest) != ""; {
		c := conditionForm.FindStringSubmatch(rest)
		if c == nil {
			return query{}, fmt.Errorf("near %q: syntax error", clip(rest))
		}
		q.where = append(q.where, condition{c[1], c[2], strings.ReplaceAll(c[3], "''", "'")})
		rest = rest[len(c[0]):]
	}
	return q, nil
}

func clip(text string) string { return text[:min(len(text), 40)] }

func (c condition) holds(value string) bool {
	switch c.operator {
	case "=":
		return value == c.text
	case ">":
		return value > c.text
	case ">=":
		return value >= c.text
	case "<":
		return value < c.text
	}
	return value <= c.text
}

// row is one of a table, by its columns.
type row = map[string]any

// table is what queries read. Its rows are in the order of their ids.
type table struct {
	name, key string
	columns   []string
	rows      int
	id        func(i int) string
	row       func(i int) row
	// rights are those of which one is needed to see the rows of others.
	rights []string
	// own is the row that everybody sees; empty for none.
	own string
}

// column is a column by its name in any letters.
func (t *table) column(name string) (string, error) {
	i := slices.IndexFunc(t.columns, func(c string) bool { return strings.EqualFold(c, name) })
	if i < 0 {
		return "", fmt.Errorf("no such column: %s", name)
	}
	return t.columns[i], nil
}

// result is a page of what a query finds.
type result struct {
	columns []string
	rows    []row
	ids     []string
	full    int
}

// page is what a client asks for of a result.
type page struct{ number, size, limit int }

// find answers a query. visible says whether the rows of others may be seen; turn
// moves rows that were asked for in no order.
func (t *table) find(q query, p page, visible bool, gone func(id string) bool, turn int) (result, error) {
	columns, err := t.check(&q)
	if err != nil {
		return result{}, err
	}
	from, to := 0, t.rows
	var others []condition
	for _, c := range q.where {
		if !strings.EqualFold(c.column, t.key) || c.operator == "=" {
			others = append(others, c)
			continue
		}
		if at := t.search(c); c.operator[0] == '>' {
			from = max(from, at)
		} else {
			to = min(to, at)
		}
	}
	var at []int
	for i := from; i < to; i++ {
		id := t.id(i)
		if !gone(id) && (visible || id == t.own) && t.matches(i, others) {
			at = append(at, i)
		}
	}
	t.sort(at, q.order, turn)
	found := result{columns: columns, full: len(at)}
	first := min(len(at), max(0, p.number-1)*p.size)
	for _, i := range at[first:min(len(at), first+min(p.size, p.limit))] {
		whole, shown := t.row(i), row{"_MatchFilter": nil}
		for _, c := range columns {
			shown[c] = whole[c]
		}
		found.rows, found.ids = append(found.rows, shown), append(found.ids, t.id(i))
	}
	return found, nil
}

// check finds the columns of a query in the table.
func (t *table) check(q *query) ([]string, error) {
	columns := t.columns
	if q.columns != nil {
		columns = nil
	}
	for _, name := range q.columns {
		c, err := t.column(name)
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	for i, c := range q.where {
		column, err := t.column(c.column)
		if err != nil {
			return nil, err
		}
		q.where[i].column = column
	}
	if q.order != "" {
		column, err := t.column(q.order)
		if err != nil {
			return nil, err
		}
		q.order = column
	}
	return columns, nil
}

// search is the first position that a lower bound allows, or an upper one forbids.
func (t *table) search(c condition) int {
	low, high := 0, t.rows
	for low < high {
		middle := (low + high) / 2
		id := t.id(middle)
		if id < c.text || id == c.text && (c.operator == ">" || c.operator == "<=") {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func (t *table) matches(i int, conditions []condition) bool {
	if len(conditions) == 0 {
		return true
	}
	whole := t.row(i)
	return !slices.ContainsFunc(conditions, func(c condition) bool {
		text, ok := whole[c.column].(string)
		return !ok || !c.holds(text)
	})
}

// sort brings rows into the order that was asked for; without one, into another each
// time.
func (t *table) sort(at []int, order string, turn int) {
	switch {
	case order == t.key:
	case order != "":
		slices.SortStableFunc(at, func(a, b int) int {
			return strings.Compare(strings.ToLower(fmt.Sprint(t.row(a)[order])), strings.ToLower(fmt.Sprint(t.row(b)[order])))
		})
	case len(at) > 0:
		n := turn % len(at)
		slices.Reverse(at[:n])
		slices.Reverse(at[n:])
		slices.Reverse(at)
	}
}

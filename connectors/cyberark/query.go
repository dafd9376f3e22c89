package cyberark

import (
	"cmp"
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// list reads a table in the order of its key, from a key on. Pages follow keys and not
// numbers: a row that comes or goes meanwhile moves no other into a page that has been
// read. "Use Queries" has comparisons and ORDER BY; see also the SDK's own queries.
type list[T any] struct {
	columns, table, key string
	// only is a further condition.
	only string
	// id is a row's key.
	id func(T) string
	// right shows the rows.
	right string
}

// rowsAnswer is what queries and lists are answered with.
type rowsAnswer[T any] struct {
	FullCount *int `json:"FullCount"`
	Results   []struct {
		Row T `json:"Row"`
	} `json:"Results"`
	// More is set by lists that were cut short.
	More bool `json:"hasMoreRows"`
}

func (a rowsAnswer[T]) rows() []T {
	rows := make([]T, len(a.Results))
	for i := range a.Results {
		rows[i] = a.Results[i].Row
	}
	return rows
}

// complete reports whether an answer says that it holds all there is.
func (a rowsAnswer[T]) complete() bool {
	return !a.More && (a.FullCount == nil || *a.FullCount <= len(a.Results))
}

type queryBody struct {
	Script string    `json:"Script"`
	Args   queryArgs `json:"Args"`
}

type queryArgs struct {
	PageNumber int    `json:"PageNumber"`
	PageSize   int    `json:"PageSize"`
	Limit      int    `json:"Limit"`
	SortBy     string `json:"SortBy"`
	// Caching below -1 neither reads nor writes CyberArk's cache of results.
	Caching int `json:"Caching"`
}

func firstPage(size int) queryArgs {
	return queryArgs{PageNumber: 1, PageSize: size, Limit: size, Caching: -2}
}

// page reads the rows after a key, and up to another one where that is not empty;
// last says that no more follow.
func (l list[T]) page(ctx context.Context, s *session, after, upTo string, size int) (rows []T, last bool, err error) {
	var conditions []string
	if after != "" {
		conditions = append(conditions, l.key+" > "+literal(after))
	}
	if upTo != "" {
		conditions = append(conditions, l.key+" <= "+literal(upTo))
	}
	if l.only != "" {
		conditions = append(conditions, l.only)
	}
	script := "select " + l.columns + " from " + l.table
	if len(conditions) > 0 {
		script += " where " + strings.Join(conditions, " and ")
	}
	var got rowsAnswer[T]
	of := call{path: pathQuery, body: queryBody{script + " order by " + l.key, firstPage(size)}, pattern: patternQuery, right: l.right}
	if err := post(ctx, s.client, of, &got); err != nil {
		return nil, false, err
	}
	rows = got.rows()
	if err := l.inOrder(rows, after); err != nil {
		return nil, false, err
	}
	if got.FullCount == nil {
		return rows, len(rows) == 0, nil
	}
	return rows, len(rows) == 0 || got.complete(), nil
}

// each reads the rows after a key, page by page.
func (l list[T]) each(ctx context.Context, s *session, after, upTo string, take func(rows []T) error) error {
	for {
		rows, last, err := l.page(ctx, s, after, upTo, s.rows)
		if err != nil {
			return err
		}
		if err := take(rows); err != nil || last {
			return err
		}
		after = l.id(rows[len(rows)-1])
	}
}

// inOrder refuses rows that would be left out or read for ever if their last key were
// where to go on. Databases compare texts by bytes, or by letters alone.
func (l list[T]) inOrder(rows []T, after string) error {
	keys := make([]string, 0, len(rows)+1)
	if after != "" {
		keys = append(keys, after)
	}
	for _, r := range rows {
		if l.id(r) == "" {
			return provider().Unreadable("the list of "+l.table, nil)
		}
		keys = append(keys, l.id(r))
	}
	if ascends(keys, cmp.Compare[string]) || ascends(keys, byLetters) {
		return nil
	}
	return &connector.Error{Category: connector.ProviderUnavailable, Message: "CyberArk does not list " + l.table + " in the order that was asked for; it cannot be read page by page"}
}

func ascends(keys []string, compare func(a, b string) int) bool {
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] || compare(keys[i-1], keys[i]) > 0 {
			return false
		}
	}
	return true
}

// byLetters compares as collations of languages do for the texts that keys are.
func byLetters(a, b string) int {
	plain := strings.NewReplacer("-", "", "_", "")
	return strings.Compare(strings.ToLower(plain.Replace(a)), strings.ToLower(plain.Replace(b)))
}

// literal writes a text for a query. There are no parameters.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

package cli

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// Paging is the flags of every list.
type Paging struct {
	Limit int  `default:"50" placeholder:"N" help:"The most to list (${default})."`
	All   bool `help:"List everything, however many pages it takes."`
}

func (p Paging) pages() (client.Pages, error) {
	switch {
	case p.All:
		return client.Pages{}, nil
	case p.Limit < 1:
		return client.Pages{}, usagef("--limit: must be at least 1; --all lists everything")
	}
	return client.Pages{Limit: p.Limit}, nil
}

// printList prints a list as wanted: the joined answer, or a table and a remark
// when there is more.
func printList[T any](e *environment, r Remote, l client.List[T], t output.Table, cells func(T) []string) error {
	if r.json() {
		return e.printJSON(l.Raw)
	}
	for _, item := range l.Items {
		t.Rows = append(t.Rows, cells(item))
	}
	if err := t.Write(e.Out, e.width()); err != nil {
		return err
	}
	if l.More {
		fmt.Fprintf(e.Err, "There are more than %d; see them with --all or a greater --limit.\n", len(l.Items))
	}
	return nil
}

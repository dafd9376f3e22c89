package generator

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Read makes one partition: its share of each section of the stream, one after
// the other. The cursor is how many of its records have been made.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	var part int
	if _, err := fmt.Sscanf(p.Key, "part-%d", &part); err != nil || part < 0 || part >= s.Partitions {
		return &connector.Error{Category: connector.Internal, Message: "there is no such partition", Cause: err}
	}
	done := 0
	if from != "" {
		n, err := strconv.Atoi(string(from))
		if err != nil {
			return &connector.Error{Category: connector.Internal, Message: "the cursor is not one of this connector's", Cause: err}
		}
		done = n
	}
	if err := s.pause(ctx); err != nil {
		return err
	}
	var page connector.Page
	made := 0
	for _, sec := range s.sections(p.Stream) {
		first, end := sec.count*part/s.Partitions, sec.count*(part+1)/s.Partitions
		for i := first; i < end; i++ {
			if made++; made <= done {
				continue
			}
			if n := len(page.Entities) + len(page.Relationships); n == connector.MaxPageRecords {
				page.Next = connector.Cursor(strconv.Itoa(made - 1))
				if err := to.Write(ctx, page); err != nil {
					return err
				}
				page = connector.Page{}
				if err := s.pause(ctx); err != nil {
					return err
				}
			}
			if sec.entity != nil {
				page.Entities = append(page.Entities, sec.entity(i))
			} else {
				page.Relationships = append(page.Relationships, sec.relationship(i))
			}
		}
	}
	return to.Write(ctx, page)
}

// pause takes the time that a page takes to come.
func (s *session) pause(ctx context.Context) error {
	if s.PauseMilliseconds == 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(s.PauseMilliseconds) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

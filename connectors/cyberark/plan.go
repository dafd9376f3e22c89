package cyberark

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// Plan lists the streams. A tenant has one partition of each.
func (s *session) Plan(ctx context.Context) (connector.Plan, error) {
	if _, err := s.client.identity(ctx); err != nil {
		return connector.Plan{}, err
	}
	plan := connector.Plan{Complete: true}
	for _, stream := range streams() {
		plan.Partitions = append(plan.Partitions, connector.Partition{Stream: stream.Name})
	}
	return plan, nil
}

// Read reads one partition from the cursor on.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	start, err := records.ParsePlace(from)
	if err != nil {
		return err
	}
	read := s.reader(p.Stream)
	if read == nil || p.Key != "" {
		return &connector.Error{Category: connector.ContractViolation, Message: "the partition names a stream this connector does not have"}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b := records.NewWriter(ctx, to, s.records)
	if err := read(ctx, start, b); err != nil {
		if b.Err() != nil {
			return b.Err()
		}
		// What may not be read makes the partition partial; what was read stays.
		if err := gapOrFail(b, err); err != nil {
			return b.Fail(err)
		}
	}
	return b.Finish()
}

// reader returns the function that reads a stream.
func (s *session) reader(stream string) func(ctx context.Context, from records.Place, b *records.Writer) error {
	return map[string]func(context.Context, records.Place, *records.Writer) error{
		streamTenant: s.readTenant, streamUsers: s.readUsers, streamGroups: s.readGroups, streamRoles: s.readRoles,
		streamEverybody: s.readEverybody, streamRights: s.readRights, streamApplications: s.readApplications,
	}[stream]
}

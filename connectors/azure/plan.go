package azure

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// Plan lists the partitions: the directory's streams, then Azure scope by scope, so
// that what a session holds of a subscription serves all its streams. It is not
// complete when Resource Manager does not show which scopes there are.
func (s *session) Plan(ctx context.Context) (connector.Plan, error) {
	if _, err := s.tenant(ctx); err != nil {
		return connector.Plan{}, err
	}
	plan := connector.Plan{Complete: true}
	for _, stream := range streams() {
		if stream.PartitionedBy == "" && s.reads(stream.Name) {
			plan.Partitions = append(plan.Partitions, connector.Partition{Stream: stream.Name})
		}
	}
	if !s.configuration.readsAzure() {
		return plan, nil
	}
	found, err := s.listScopes(ctx)
	if err != nil {
		return connector.Plan{}, err
	}
	plan.Complete = found.shut == nil && found.unseen == nil
	add := func(path string, isSubscription bool, skip *connector.Error) {
		for _, stream := range streams() {
			if s.reads(stream.Name) && (stream.PartitionedBy == byScope || isSubscription && stream.PartitionedBy == bySubscription) {
				plan.Partitions = append(plan.Partitions, connector.Partition{Stream: stream.Name, Key: path, Skip: skip})
			}
		}
	}
	for _, sc := range found.all {
		add(sc.path, sc.subscription != "", nil)
	}
	for _, id := range found.absent {
		e := missing(permSubscriptions)
		e.Message, e.On = "the subscription is not visible: it is in another tenant, or the identity has no role on it", "subscription "+id
		add("/subscriptions/"+id, true, &e)
	}
	return plan, nil
}

// reads reports whether the configuration asks for a stream.
func (s *session) reads(stream string) bool {
	switch stream {
	case streamEligibleRoles:
		return s.configuration.IncludePIM
	case streamEligibleAzure:
		return s.configuration.IncludePIM && s.configuration.readsAzure()
	case streamScopes, streamResourceGroups, streamAzureRoles, streamDenies:
		return s.configuration.readsAzure()
	}
	return true
}

// Read reads one partition from the cursor on.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	start, err := records.ParsePlace(from)
	if err != nil {
		return err
	}
	read := s.reader(p.Stream)
	if read == nil {
		return &connector.Error{Category: connector.ContractViolation, Message: "the partition names a stream this connector does not have"}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b := records.NewWriter(ctx, to, s.pageRecords)
	if err := read(ctx, p.Key, start, b); err != nil {
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

// reader returns the function that reads a partition of the stream.
func (s *session) reader(stream string) func(ctx context.Context, key string, from records.Place, b *records.Writer) error {
	return map[string]func(context.Context, string, records.Place, *records.Writer) error{
		streamTenant: s.readTenant, streamUsers: s.readUsers, streamGroups: s.readGroups, streamApplications: s.readApplications,
		streamServicePrincipals: s.readServicePrincipals, streamUnits: s.readUnits, streamDirectoryRoles: s.readDirectoryRoles,
		streamEligibleRoles: s.readEligibleRoles, streamGrants: s.readGrants, streamScopes: s.readScopes,
		streamResourceGroups: s.readResourceGroups, streamAzureRoles: s.readAzureRoles, streamEligibleAzure: s.readEligibleAzure, streamDenies: s.readDenies,
	}[stream]
}

// gapOrFail turns what may not be read into a gap and returns any other error.
func gapOrFail(b *records.Writer, err error) error {
	if e, shut := isDenied(err); shut {
		b.Gap(*e)
		return nil
	}
	return err
}

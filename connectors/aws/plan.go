package aws

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// Plan lists the partitions: what belongs to the organisation, then account by
// account in the manifest's order of streams, so that what a session holds of
// one account serves all its streams and can then be dropped. Accounts whose
// role cannot be assumed are skipped and the others go on. When the
// organisation's accounts cannot be listed, the plan is not complete: those
// that an earlier run read may well be there.
func (s *session) Plan(ctx context.Context) (connector.Plan, error) {
	accounts, err := s.targets(ctx)
	if err != nil {
		return connector.Plan{}, err
	}
	skip := map[string]*connector.Error{}
	for _, account := range accounts {
		_, err := s.enter(ctx, account)
		if e, denied := isDenied(err); denied {
			skip[account] = e
		} else if err != nil {
			return connector.Plan{}, err
		}
	}
	plan := connector.Plan{Complete: !s.guessed}
	for _, stream := range streams() {
		if stream.PartitionedBy == "" && s.reads(stream.Name) {
			plan.Partitions = append(plan.Partitions, connector.Partition{Stream: stream.Name})
		}
	}
	for _, account := range accounts {
		for _, stream := range streams() {
			if stream.PartitionedBy == byAccount && s.reads(stream.Name) {
				plan.Partitions = append(plan.Partitions, connector.Partition{Stream: stream.Name, Key: account, Skip: skip[account]})
			}
		}
	}
	return plan, nil
}

// reads reports whether the configuration asks for a stream. The organization
// stream is always read: it also carries the accounts of a connection that
// reads no organisation.
func (s *session) reads(stream string) bool {
	switch stream {
	case streamControls:
		return s.configuration.OrganizationsEnabled
	case streamIdentityCenter, streamPermissionSets:
		return s.configuration.IdentityCenterEnabled
	}
	return true
}

// Read reads one partition from the cursor on.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	start, err := records.ParsePlace(from)
	if err != nil {
		return err
	}
	b := records.NewWriter(ctx, to, s.pageRecords)
	read := s.reader(p.Stream)
	if read == nil {
		return &connector.Error{Category: connector.ContractViolation, Message: "the partition names a stream this connector does not have"}
	}
	if err := read(ctx, p.Key, start, b); err != nil {
		return b.Fail(err)
	}
	return b.Finish()
}

// reader returns the function that reads a partition of the stream.
func (s *session) reader(stream string) func(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	switch stream {
	case streamOrganization:
		return s.readOrganization
	case streamControls:
		return s.readControlPolicies
	case streamIdentityCenter:
		return s.readIdentityCenter
	case streamIAM:
		return s.readIAM
	case streamS3:
		return s.readS3
	case streamLambda:
		return s.readLambda
	case streamTrust:
		return s.readTrust
	case streamGrants:
		return s.readGrants
	case streamPermissionSets:
		return s.readPermissionSets
	}
	return nil
}

// gapOrFail turns a missing permission into a gap and returns any other error.
func gapOrFail(b *records.Writer, err error) error {
	if e, denied := isDenied(err); denied {
		b.Gap(*e)
		return nil
	}
	return err
}

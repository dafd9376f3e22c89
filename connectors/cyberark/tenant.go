package cyberark

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// serviceCloud is CyberArk's word for its own directory.
const serviceCloud = "CDS"

// directory is a source of users.
type directory struct {
	ID      string `json:"directoryServiceUuid"`
	Service string `json:"Service"`
	Name    string `json:"Name"`
	Display string `json:"DisplayName"`
}

// directories asks once what the tenant's directories are.
func (s *session) directories(ctx context.Context) ([]directory, error) {
	if s.services != nil {
		return s.services, nil
	}
	var got rowsAnswer[directory]
	if err := post(ctx, s.client, call{path: pathDirectories, body: struct{}{}, pattern: patternDirectories}, &got); err != nil {
		return nil, err
	}
	s.services = got.rows()
	return s.services, nil
}

// readTenant adds the tenant, which administrative rights are over, and the directories
// that its users come from.
func (s *session) readTenant(ctx context.Context, _ records.Place, b *records.Writer) error {
	who, err := s.client.identity(ctx)
	if err != nil {
		return err
	}
	name := s.configuration.host()
	b.Entity(connector.Entity{Ref: boundaryRef(who.tenant), Name: records.Name(name), Type: "tenant"})
	b.Entity(connector.Entity{Ref: resourceRef(who.tenant), Name: records.Name(name), Type: "tenant"})
	b.Relate(connector.BoundaryContains, boundaryRef(who.tenant), resourceRef(who.tenant))
	found, err := s.directories(ctx)
	if err != nil {
		return err
	}
	for _, d := range found {
		if d.ID == "" {
			continue
		}
		name := d.Display
		if name == "" {
			name = d.Name
		}
		b.Entity(connector.Entity{
			Ref: boundaryRef(d.ID), Name: records.Name(name), Type: "directory_service",
			Attributes: records.Attributes(map[string]any{"service": d.Service, "instance": records.Name(d.Name)}),
		})
		b.Relate(connector.BoundaryContains, boundaryRef(who.tenant), boundaryRef(d.ID))
	}
	return b.Err()
}

package awsestate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
)

// Read is what the connector made of the organisation.
type Read struct {
	Entities, Relationships int
}

// Records is entities and relationships together.
func (r Read) Records() int { return r.Entities + r.Relationships }

// count is a sink that keeps nothing.
type count struct{ Read }

// Write implements [connector.Sink].
func (c *count) Write(_ context.Context, page connector.Page) error {
	if len(page.Gaps) > 0 {
		return fmt.Errorf("the simulator showed less than it holds: %w", &page.Gaps[0])
	}
	c.Entities += len(page.Entities)
	c.Relationships += len(page.Relationships)
	return nil
}

// Discover reads the whole organisation with the connector.
func (e *Estate) Discover(ctx context.Context) (read Read, err error) {
	raw, err := json.Marshal(map[string]any{
		"access_key_id": e.summary.Auditor.AccessKeyID, "secret_access_key": e.summary.Auditor.SecretAccessKey,
		"region": e.summary.Region, "endpoint_url": e.url, "organizations_enabled": true, "identity_center_enabled": true,
		"member_role_name": e.summary.AuditRole, "external_id": e.summary.ExternalID,
	})
	if err != nil {
		return Read{}, fmt.Errorf("encode the configuration: %w", err)
	}
	session, err := aws.New().Open(ctx, connector.Settings{
		Configuration: raw, HTTPClient: &http.Client{Transport: e.playback}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return Read{}, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	plan, err := session.Plan(ctx)
	if err != nil {
		return Read{}, err
	}
	var sink count
	for _, p := range plan.Partitions {
		if p.Skip != nil {
			continue // suspended accounts
		}
		if err := session.Read(ctx, p, "", &sink); err != nil {
			return Read{}, fmt.Errorf("read %s %s: %w", p.Stream, p.Key, err)
		}
	}
	return sink.Read, nil
}

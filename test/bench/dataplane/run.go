package dataplane

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Connect makes a connection that generates an estate.
func (p *Plane) Connect(ctx context.Context, name string, c generator.Configuration) (id.Connection, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("encode the configuration: %w", err)
	}
	made, _, err := p.Connections.Create(ctx, p.Caller, connection.Draft{Integration: generator.IntegrationID, Name: name, Configuration: raw})
	return made.ID, err
}

// Change gives a connection another estate.
func (p *Plane) Change(ctx context.Context, conn id.Connection, c generator.Configuration) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the configuration: %w", err)
	}
	_, err = p.Connections.Update(ctx, p.Caller, conn, connection.Patch{Configuration: raw})
	return err
}

// longestRun is more than any measured run takes.
const longestRun = 30 * time.Minute

// Discover starts a discovery and waits until it has been published. Some worker
// has to be there.
func (p *Plane) Discover(ctx context.Context, conn id.Connection) (run.Run, error) {
	started, err := p.StartDiscovery(ctx, conn)
	if err != nil {
		return run.Run{}, err
	}
	return p.await(ctx, started)
}

func (p *Plane) await(ctx context.Context, r id.Run) (run.Run, error) {
	ended, err := p.Runs.Await(ctx, p.Caller, r, longestRun)
	if err != nil {
		return run.Run{}, err
	}
	if ended.Outcome != run.Succeeded {
		return ended, fmt.Errorf("%s ended %s: %s %+v", ended.ID, ended.Outcome, ended.Reason, ended.Failure)
	}
	return ended, nil
}

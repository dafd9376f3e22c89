package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of the administrative reads.
const (
	manyConnections  = 10_000
	connectionsAsked = 2_000
	connectionsFirst = 100 // not measured
	connectionTarget = 5 * time.Millisecond
)

// connections measures reading a connection and a page of 50 among 10,000 over
// HTTP with an API key, beside the bare statement on one database connection.
func (b *bench) connections(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		if err := p.FillConnections(ctx, generator.IntegrationID, manyConnections); err != nil {
			return err
		}
		url, key, err := p.ServeConnections(ctx)
		if err != nil {
			return err
		}
		var first int64
		if err := p.Super.QueryRow(ctx, "select min(connection_id) from connections").Scan(&first); err != nil {
			return err
		}
		// A stride that is no divisor spreads over all of them.
		nth := func(i int) int64 { return first + int64(i)*7919%manyConnections }
		for _, q := range []struct {
			name, path string
			sql        string
		}{
			{"a connection", "/v1/connections/conn_%d", "select * from connections where workspace_id = $1 and connection_id = $2"},
			{"a page of 50 connections", "/v1/connections?limit=50", "select * from connections where workspace_id = $1 and connection_id >= $2 and deleted_at is null order by connection_id limit 50"},
		} {
			ask := func(i int) error {
				path := q.path
				if q.name == "a connection" {
					path = fmt.Sprintf(q.path, nth(i))
				}
				return get(ctx, url+path, key)
			}
			bare := func(i int) error {
				rows, err := p.Super.Query(ctx, q.sql, p.Caller.Scope.Workspace, nth(i))
				if err != nil {
					return err
				}
				rows.Close()
				return rows.Err()
			}
			took, err := timed(ask)
			if err != nil {
				return err
			}
			limit, err := timed(bare)
			if err != nil {
				return err
			}
			p99 := figure.Percentile(took, 0.99)
			b.Add(figure.Figure{
				Name:     fmt.Sprintf("%s of %d over HTTP, p50 / p99", q.name, manyConnections),
				Measured: fmt.Sprintf("%.2f / %.2f ms", milliseconds(figure.Median(took)), milliseconds(p99)),
				Limit:    fmt.Sprintf("bare SQL %.2f / %.2f ms", milliseconds(figure.Median(limit)), milliseconds(figure.Percentile(limit, 0.99))),
				Ratio:    fmt.Sprintf("%.1f×", float64(figure.Median(took))/float64(figure.Median(limit))),
				Target:   "p99 < 5 ms", Met: p99 < connectionTarget,
			})
		}
		return nil
	})
}

func timed(do func(i int) error) ([]time.Duration, error) {
	var took []time.Duration
	for i := range connectionsFirst + connectionsAsked {
		begun := time.Now()
		if err := do(i); err != nil {
			return nil, err
		}
		if i >= connectionsFirst {
			took = append(took, time.Since(begun))
		}
	}
	return took, nil
}

func get(ctx context.Context, url string, key secret.Secret) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key.RevealString())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, res.Status)
	}
	return nil
}

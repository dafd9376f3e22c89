package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/test/bench/awsestate"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
)

const (
	awsPeople = 20_000
	// mostCalls per 1,000 of what bulk operations list.
	mostCalls = 25
)

// aws measures the AWS connector: its calls, and its speed beside the SDK's.
func (b *bench) aws(ctx context.Context) error {
	e, err := awsestate.New(ctx, awsPeople)
	if err != nil {
		return err
	}
	defer e.Close()
	var read awsestate.Read
	calls, err := e.Calls(func() (err error) {
		read, err = e.Discover(ctx)
		return err
	})
	if err != nil {
		return err
	}
	b.addCalls(read, calls)
	if _, err := e.Decode(ctx); err != nil { // so that its pages are remembered too
		return err
	}
	_ = e.Replayed() // begins to count
	var connector, sdk []time.Duration
	objects := 0
	for range b.repeat {
		begun := time.Now()
		if _, err := e.Discover(ctx); err != nil {
			return err
		}
		connector = append(connector, time.Since(begun))
		begun = time.Now()
		if objects, err = e.Decode(ctx); err != nil {
			return err
		}
		sdk = append(sdk, time.Since(begun))
	}
	if err := e.Replayed(); err != nil {
		return err
	}
	ours := float64(read.Records()) / figure.Median(connector).Seconds()
	bare := float64(objects) / figure.Median(sdk).Seconds()
	b.Add(figure.Figure{
		Name:     fmt.Sprintf("AWS connector, %d people, answers from memory", awsPeople),
		Measured: fmt.Sprintf("%.0f records/s", ours),
		Limit:    fmt.Sprintf("SDK's decoding alone %.0f objects/s", bare),
		Ratio:    fmt.Sprintf("%.2f×", ours/bare),
	})
	return nil
}

func (b *bench) addCalls(read awsestate.Read, calls awsestate.Calls) {
	per := func(n, of int) float64 { return float64(n) * 1000 / float64(of) }
	b.Add(figure.Figure{
		Name:     fmt.Sprintf("AWS connector, calls of bulk operations per 1,000 of %dk entities", read.Entities/1000),
		Measured: fmt.Sprintf("%.1f", per(calls.Bulk, read.Entities)),
		Target:   fmt.Sprintf("≤ %d", mostCalls), Met: per(calls.Bulk, read.Entities) <= mostCalls,
	})
	b.Add(figure.Figure{
		Name:     fmt.Sprintf("AWS connector, all calls per 1,000 of %dk records", read.Records()/1000),
		Measured: fmt.Sprintf("%.1f", per(calls.All(), read.Records())),
		Limit:    fmt.Sprintf("what AWS offers one by one %.1f", per(calls.OneByOne, read.Records())),
		Ratio:    fmt.Sprintf("%.2f×", float64(calls.All())/float64(calls.OneByOne)),
	})
}

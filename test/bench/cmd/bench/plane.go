package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// onPlane runs fn on a data plane of its own.
func (b *bench) onPlane(ctx context.Context, fn func(p *dataplane.Plane) error) (err error) {
	dir, err := os.MkdirTemp(b.dir, "plane-")
	if err != nil {
		return err
	}
	p, err := dataplane.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(), os.RemoveAll(dir)) }()
	return fn(p)
}

// withWorker runs fn beside a worker process.
func (b *bench) withWorker(ctx context.Context, p *dataplane.Plane, fn func(w *dataplane.Worker) error) (err error) {
	var profile string
	if b.profile != "" {
		profile = filepath.Join(b.profile, "worker.pprof")
	}
	w, err := p.StartWorker(ctx, b.worker, profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	return fn(w)
}

func (b *bench) estate() generator.Configuration {
	return generator.Configuration{Entities: b.entities, Relationships: b.relationships, Partitions: b.partitions}
}

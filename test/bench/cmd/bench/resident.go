package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/gatehouse-project/gatehouse/internal/app"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
)

// residents is the peak memory of processes, in bytes, and what they had answered.
type residents struct {
	Services, Worker int64
	Entities, Edges  int64
	Questions        int
}

const (
	residentFlag = "resident"
	mebibyte     = 1 << 20
	// What the services, discovery among them, and a worker may have in memory.
	servicesMost, workerMost = 512 * mebibyte, 256 * mebibyte
)

// resident measures the peak memory of the services and of a worker over a first
// load, an unchanged re-run, and one with changes beside which questions are asked.
// The services are in a process of their own: this one keeps rows to compare with.
func (b *bench) resident(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	c := exec.CommandContext(ctx, self, "-"+residentFlag, "-worker", b.worker,
		"-entities", strconv.Itoa(b.entities), "-relationships", strconv.Itoa(b.relationships), "-partitions", strconv.Itoa(b.partitions))
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("measure in another process: %w", err)
	}
	var r residents
	if err := json.Unmarshal(out, &r); err != nil {
		return fmt.Errorf("read the other process's answer: %w", err)
	}
	estate := fmt.Sprintf("%dk entities + %dk relationships", r.Entities/1000, r.Edges/1000)
	for _, p := range []struct {
		name       string
		peak, most int64
	}{{"services, all in one process", r.Services, servicesMost}, {"worker", r.Worker, workerMost}} {
		b.Add(figure.Figure{
			Name: "peak memory of the " + p.name, Measured: fmt.Sprintf("%.0f MiB", float64(p.peak)/mebibyte),
			Limit: fmt.Sprintf("%s, %d questions", estate, r.Questions), Target: fmt.Sprintf("≤ %d MiB", p.most/mebibyte), Met: p.peak <= p.most,
		})
	}
	return nil
}

// reside is the other process: it runs the services and tells its memory.
func (b *bench) reside(ctx context.Context) error {
	app.TuneMemory()
	var r residents
	err := b.onPlane(ctx, func(p *dataplane.Plane) error {
		return b.withWorker(ctx, p, func(w *dataplane.Worker) error {
			conn, err := p.Connect(ctx, "resident", b.estate())
			if err != nil {
				return err
			}
			for range 2 {
				if _, err := p.Discover(ctx, conn); err != nil {
					return err
				}
			}
			if err := b.changeSome(ctx, p, conn, 1); err != nil {
				return err
			}
			asked, err := askDuring(ctx, p, b.firstPages(p, conn), conn)
			if err != nil {
				return err
			}
			for _, took := range asked {
				r.Questions += len(took)
			}
			if r.Entities, r.Edges, err = p.Held(ctx); err != nil {
				return err
			}
			if r.Services, err = dataplane.PeakMemory(os.Getpid()); err != nil {
				return err
			}
			r.Worker, err = w.PeakMemory()
			return err
		})
	})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return fmt.Errorf("tell the memory: %w", err)
	}
	return nil
}

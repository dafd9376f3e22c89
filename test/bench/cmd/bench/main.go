package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/gatehouse-project/gatehouse/test/bench/figure"
)

// bench is one run of this command.
type bench struct {
	*figure.Report
	// dir is for everything that is written.
	dir string
	// worker and gatehouse are programs.
	worker, gatehouse, peer string
	// profile is a directory, or empty.
	profile                 string
	entities, relationships int
	partitions, repeat      int
	// days is how many pass in a year.
	days int
}

func main() {
	met, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if !met {
		os.Exit(1)
	}
}

func run() (met bool, err error) {
	b := &bench{Report: figure.NewReport(os.Stdout)}
	var names []string
	for _, g := range b.groups() {
		names = append(names, g.name)
	}
	choice := flag.String("run", "", "regular expression over the names of groups: "+strings.Join(names, ", "))
	flag.StringVar(&b.worker, "worker", "bin/benchworker", "the worker program")
	flag.StringVar(&b.gatehouse, "gatehouse", "bin/gatehouse", "the product's program")
	flag.StringVar(&b.peer, "peer", "bin/benchpeer", "the peer's program")
	flag.IntVar(&b.entities, "entities", 200_000, "entities of the generated estate")
	flag.IntVar(&b.relationships, "relationships", 600_000, "relationships of the generated estate")
	flag.IntVar(&b.partitions, "partitions", 4, "partitions of each stream of the generated estate")
	flag.IntVar(&b.repeat, "repeat", 3, "how often the pipeline is measured; medians are shown")
	flag.StringVar(&b.profile, "profile", "", "a directory for profiles of the processor time: of the services and of the last worker")
	flag.IntVar(&b.days, "days", 365, "days of the year group, with a tenth of the estate")
	alone := flag.Bool(residentFlag, false, "run the services of the resident group and tell their memory; for this program itself")
	flag.Parse()
	chosen, err := regexp.Compile(*choice)
	if err != nil {
		return false, fmt.Errorf("-run: %w", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if b.dir, err = os.MkdirTemp("", "gatehouse-bench-"); err != nil {
		return false, fmt.Errorf("make a directory to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()

	if *alone {
		return true, b.reside(ctx)
	}
	if b.profile != "" {
		end, err := figure.Profile(filepath.Join(b.profile, "services.pprof"))
		if err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	b.Explain("%d processors, %s, %s/%s; everything on this machine", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, group := range b.groups() {
		if !chosen.MatchString(group.name) {
			continue
		}
		if err := group.measure(ctx); err != nil {
			return false, fmt.Errorf("%s: %w", group.name, err)
		}
	}
	met = b.Print()
	b.Explain("Again: make bench; some of it: make bench BENCHFLAGS='-run pipeline -repeat 5'")
	return met, nil
}

// group is figures that are measured together.
type group struct {
	name    string
	measure func(context.Context) error
}

func (b *bench) groups() []group {
	return []group{
		{"pipeline", b.pipeline},
		{"memory", b.memory},
		{"resident", b.resident},
		{"questions", b.questions},
		{"year", b.year},
		{"connections", b.connections},
		{"admission", b.admission},
		{"schedules", b.schedules},
		{"audit", b.audit},
		{"aws", b.aws},
		{"demo", b.demo},
		{"seal", b.seal},
		{"rewrap", b.rewrap},
		{"budget", b.budget},
		{"takeover", b.takeover},
		{"exports", b.exports},
		{"peers", b.peers},
	}
}

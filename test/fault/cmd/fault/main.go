package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gatehouse-project/gatehouse/test/fault"
)

func main() {
	held, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(2)
	}
	if !held {
		os.Exit(1)
	}
}

func run() (held bool, err error) {
	c := fault.Long(uint64(time.Now().Unix()))
	flag.Uint64Var(&c.Seed, "seed", c.Seed, "which operations and faults there are")
	flag.IntVar(&c.Faults, "faults", c.Faults, "how many to inject")
	flag.IntVar(&c.PerRound, "round", c.PerRound, "after how many everything comes to rest and is compared")
	flag.DurationVar(&c.Pace, "pace", c.Pace, "mean pause between two faults")
	flag.BoolVar(&c.Hasten, "hasten", false, "end leases in the database instead of waiting for their end")
	flag.StringVar(&c.Gatehouse, "gatehouse", "bin/gatehouse", "the product's program")
	flag.StringVar(&c.Dir, "dir", "", "where to write logs, which are kept; a temporary directory without it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Dir == "" {
		if c.Dir, err = os.MkdirTemp("", "gatehouse-fault-"); err != nil {
			return false, fmt.Errorf("make a directory to work in: %w", err)
		}
	} else if err = os.MkdirAll(c.Dir, 0o755); err != nil {
		return false, err
	}
	c.Out = os.Stdout
	fmt.Fprintf(c.Out, "Seed %d; logs are in %s.\n", c.Seed, c.Dir)
	report, err := fault.Run(ctx, c)
	if err != nil {
		return false, err
	}
	err = report.Write(os.Stdout, fmt.Sprintf("make fault FAULTFLAGS='-seed %d -faults %d'", c.Seed, c.Faults))
	return len(report.Breaches) == 0, err
}

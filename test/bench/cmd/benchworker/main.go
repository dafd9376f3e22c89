package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/worker"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "benchworker:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	url := flag.String("url", "", "where the services answer")
	profile := flag.String("profile", "", "a file to write a profile of the processor time to")
	flag.Parse()
	if *profile != "" {
		end, err := figure.Profile(*profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	w, err := worker.New(worker.Config{
		Name: "benchworker", DiscoveryURL: *url, IntegrationsURL: *url, Token: secret.FromString(os.Getenv("BENCHWORKER_TOKEN")),
		Queues:     []string{string(operation.DiscoveryQueue)},
		Connectors: map[string]connector.Connector{generator.IntegrationID: generator.Connector{}},
		Logger:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

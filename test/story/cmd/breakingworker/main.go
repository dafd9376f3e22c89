package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/worker"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "breakingworker:", err)
		os.Exit(1)
	}
}

func run() error {
	discovery := flag.String("discovery-url", "", "where the discovery service answers")
	integrations := flag.String("integrations-url", "", "where the integrations service answers")
	tokenFile := flag.String("token-file", "", "file with the worker token")
	stream := flag.String("stream", "", "the stream to break")
	breach := flag.String("breach", "", "how: "+strings.Join(breachNames(), ", "))
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	token, err := os.ReadFile(*tokenFile)
	if err != nil {
		return fmt.Errorf("read the worker token: %w", err)
	}
	spoil, ok := breaches()[*breach]
	if !ok {
		return fmt.Errorf("there is no breach %q", *breach)
	}
	broken := breaking{Connector: aws.New(), stream: *stream, spoil: spoil}
	w, err := worker.New(worker.Config{
		Name: "breakingworker", DiscoveryURL: *discovery, IntegrationsURL: *integrations, Token: secret.FromString(strings.TrimSpace(string(token))),
		Queues: []string{string(operation.DiscoveryQueue)}, Connectors: map[string]connector.Connector{broken.Manifest().IntegrationID: broken},
		Egress: egress.Policy{AllowPrivate: true}, EndpointHosts: []string{egress.AnyHost}, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

package main

import (
	"context"
	"os"
	_ "time/tzdata" // schedules need the zones on machines without them, too

	"github.com/gatehouse-project/gatehouse/internal/cli"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

func main() {
	// This may be the step between a worker and a connector's program.
	sandbox.Enter()
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Standard(), services()))
}

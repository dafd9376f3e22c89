package main

import (
	"context"
	"os"
	_ "time/tzdata" // schedules need the zones on machines without them, too

	"github.com/gatehouse-project/gatehouse/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Standard(), services()))
}

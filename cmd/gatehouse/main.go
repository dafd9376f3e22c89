package main

import (
	"context"
	"os"

	"github.com/gatehouse-project/gatehouse/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Standard(), services()))
}

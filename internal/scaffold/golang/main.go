package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gatehouse-project/gatehouse/connector/wire"
)

func main() {
	if err := wire.Serve(context.Background(), doors{}, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

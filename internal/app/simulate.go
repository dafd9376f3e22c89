package app

import (
	"context"
	"fmt"
	"net"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// SimulateAWS serves a simulated AWS organisation until ctx ends. ready is called
// with the address once requests are answered.
func SimulateAWS(ctx context.Context, people int, seed int64, listen string, ready func(url string, s *aws.Simulator)) error {
	s, err := aws.New(aws.Options{People: people, Seed: seed})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", listen, err)
	}
	ready("http://"+ln.Addr().String(), s)
	return s.Serve(ctx, ln)
}

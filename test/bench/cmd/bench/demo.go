package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gatehouse-project/gatehouse/test/bench/figure"
)

// demoTarget is how long the demo may take once everything is built.
const demoTarget = 30 * time.Second

// demo measures the whole way from an empty directory to the answers.
func (b *bench) demo(ctx context.Context) error {
	c := exec.CommandContext(ctx, b.gatehouse, "demo", "--once", "--data-dir", filepath.Join(b.dir, "demo"))
	begun := time.Now()
	out, err := c.CombinedOutput()
	took := time.Since(begun)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", c, err, out)
	}
	b.Add(figure.Figure{
		Name: "gatehouse demo --once, from an empty directory", Measured: fmt.Sprintf("%.1f s", took.Seconds()),
		Target: fmt.Sprintf("< %.0f s", demoTarget.Seconds()), Met: took < demoTarget,
	})
	return nil
}

package figure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/test/bench/figure"
)

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var values []time.Duration
	for i := 100; i >= 1; i-- {
		values = append(values, time.Duration(i))
	}
	require.Equal(t, time.Duration(99), figure.Percentile(values, 0.99))
	require.Equal(t, time.Duration(50), figure.Percentile(values, 0.5))
	require.Equal(t, time.Duration(100), figure.Percentile(values, 1))
	require.Equal(t, time.Duration(1), figure.Percentile(values, 0))
	require.Equal(t, time.Duration(50), figure.Median(values))
	require.InDelta(t, 2, figure.Median([]float64{3, 1, 2}), 0)
}

func TestOneMissedTargetMissesTheReport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := figure.NewReport(&out)
	r.Add(figure.Figure{Name: "good", Target: "1", Met: true})
	r.Add(figure.Figure{Name: "without a target"})
	require.True(t, r.Print())
	r.Add(figure.Figure{Name: "bad", Target: "1"})
	require.False(t, r.Print())
	require.Contains(t, out.String(), "MISSED")
}

package story

import "testing"

func motoComparison(t *testing.T, p *plane) { t.Skip() }

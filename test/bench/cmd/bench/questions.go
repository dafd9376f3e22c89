package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of the questions.
const (
	questionsAsked = 500
	questionsFirst = 50 // not measured: connections and caches are new
	// publishesBeside is during how many publishes questions are asked.
	publishesBeside = 5
	pageRows        = 50 // the default of the API
	questionTarget  = 10 * time.Millisecond
	// pastTarget is how many times the median of now a question about an earlier
	// moment may take.
	pastTarget = 2
)

// questions measures the first page of who-can and what-can, for the heaviest
// and for ordinary ends: alone, as of an earlier moment, and while another
// connection is published. The heaviest resource is open to every account, the
// heaviest account reaches a quarter of all resources by a policy of its own.
func (b *bench) questions(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		return b.withWorker(ctx, p, func(*dataplane.Worker) error {
			conn, err := p.Connect(ctx, "questions", b.estate())
			if err != nil {
				return err
			}
			if _, err := p.Discover(ctx, conn); err != nil {
				return err
			}
			earlier, err := p.Now(ctx)
			if err != nil {
				return err
			}
			if err := b.changeSome(ctx, p, conn, 1); err != nil {
				return err
			}
			if _, err := p.Discover(ctx, conn); err != nil {
				return err
			}
			if err := vacuum(ctx, p); err != nil {
				return err
			}
			if err := b.askAlone(ctx, p, conn, graph.Moment{At: earlier}); err != nil {
				return err
			}
			return b.askBesidePublish(ctx, p, conn)
		})
	})
}

// vacuum does at once what the server does by itself within minutes.
func vacuum(ctx context.Context, p *dataplane.Plane) error {
	if _, err := p.Super.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// changeSome makes every hundredth record of an estate another one.
func (b *bench) changeSome(ctx context.Context, p *dataplane.Plane, conn id.Connection, revision int) error {
	changed := b.estate()
	changed.Revision, changed.ChangedPermille = revision, 10
	return p.Change(ctx, conn, changed)
}

// firstPage is a question for a first page, about one entity after the other.
type firstPage struct {
	name string
	ref  func(i int) connector.Ref
	ask  func(rows int, at graph.Moment) dataplane.Question
	conn id.Connection
	w    id.Workspace
}

func (b *bench) firstPages(p *dataplane.Plane, conn id.Connection) []firstPage {
	heaviest := func(ref func(i int) connector.Ref) func(int) connector.Ref {
		return func(int) connector.Ref { return ref(0) }
	}
	// A stride that is no divisor spreads over the whole estate.
	typical := func(ref func(i int) connector.Ref) func(int) connector.Ref {
		return func(i int) connector.Ref { return ref(1 + i*7919%(b.entities/4)) }
	}
	w := p.Caller.Scope.Workspace
	return []firstPage{
		{"who-can, heaviest resource", heaviest(generator.ResourceRef), p.WhoCanAt, conn, w},
		{"who-can, typical resource", typical(generator.ResourceRef), p.WhoCanAt, conn, w},
		{"what-can, heaviest account", heaviest(generator.AccountRef), p.WhatCanAt, conn, w},
		{"what-can, typical account", typical(generator.AccountRef), p.WhatCanAt, conn, w},
	}
}

// timed asks the i-th time and says how long that took and how many rows came.
func (q firstPage) timed(ctx context.Context, i int, at graph.Moment) (time.Duration, int, error) {
	e := graph.NewEntityID(q.w, q.conn, q.ref(i))
	begun := time.Now()
	answer, err := q.ask(pageRows, at)(ctx, e)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", q.name, err)
	}
	return time.Since(begun), len(answer.Rows), nil
}

// askAlone asks with nothing else at work: each question now, and beside it as of
// an earlier moment.
func (b *bench) askAlone(ctx context.Context, p *dataplane.Plane, conn id.Connection, earlier graph.Moment) error {
	for _, q := range b.firstPages(p, conn) {
		var now, then []time.Duration
		rows := 0
		for i := range questionsFirst + questionsAsked {
			took, n, err := q.timed(ctx, i, graph.Moment{})
			if err != nil {
				return err
			}
			past, _, err := q.timed(ctx, i, earlier)
			if err != nil {
				return err
			}
			if i >= questionsFirst {
				now, then = append(now, took), append(then, past)
				rows += n
			}
		}
		p99 := figure.Percentile(now, 0.99)
		b.Add(figure.Figure{
			Name: "first page of " + q.name, Measured: spoken(now),
			Limit: fmt.Sprintf("%d rows on average", rows/questionsAsked), Target: "p99 < 10 ms", Met: p99 < questionTarget,
		})
		ratio := float64(figure.Median(then)) / float64(figure.Median(now))
		b.Add(figure.Figure{
			Name: "the same before the last publish", Measured: spoken(then), Limit: "now " + spoken(now),
			Ratio: fmt.Sprintf("%.2f×", ratio), Target: "2×", Met: ratio <= pastTarget,
		})
	}
	return nil
}

// askBesidePublish asks while another connection of the same size is published,
// its estate changed in part. Only answers that came while it ran count.
func (b *bench) askBesidePublish(ctx context.Context, p *dataplane.Plane, conn id.Connection) error {
	beside, err := p.Connect(ctx, "beside", b.estate())
	if err != nil {
		return err
	}
	if _, err := p.Discover(ctx, beside); err != nil {
		return err
	}
	if err := vacuum(ctx, p); err != nil {
		return err
	}
	questions := b.firstPages(p, conn)
	alone := make([][]time.Duration, len(questions))
	for i := range questionsAsked {
		if err := askEach(ctx, questions, i, alone); err != nil {
			return err
		}
	}
	// One publish is too short for a hundredth of its questions to be more than one.
	during := make([][]time.Duration, len(questions))
	for revision := range publishesBeside {
		if err := b.changeSome(ctx, p, beside, revision+1); err != nil {
			return err
		}
		asked, err := askDuring(ctx, p, questions, beside)
		if err != nil {
			return err
		}
		for k := range during {
			during[k] = append(during[k], asked[k]...)
		}
	}
	for k, q := range questions {
		p99 := figure.Percentile(during[k], 0.99)
		b.Add(figure.Figure{
			Name: "while a publish runs, " + q.name, Measured: fmt.Sprintf("%s, %d asked", spoken(during[k]), len(during[k])),
			Limit: "without it " + spoken(alone[k]), Ratio: fmt.Sprintf("%.1f×", float64(p99)/float64(figure.Percentile(alone[k], 0.99))),
			Target: "p99 < 10 ms", Met: p99 < questionTarget,
		})
	}
	return nil
}

func askEach(ctx context.Context, questions []firstPage, i int, into [][]time.Duration) error {
	for k, q := range questions {
		took, _, err := q.timed(ctx, i, graph.Moment{})
		if err != nil {
			return err
		}
		into[k] = append(into[k], took)
	}
	return nil
}

// askDuring has a connection discovered and asks until that is over. It returns
// what took place between two looks at a run that was being published.
func askDuring(ctx context.Context, p *dataplane.Plane, questions []firstPage, conn id.Connection) ([][]time.Duration, error) {
	during := make([][]time.Duration, len(questions))
	started, err := p.StartDiscovery(ctx, conn)
	if err != nil {
		return nil, err
	}
	before, err := p.Stage(ctx, started)
	for i := 0; err == nil && !before.Ended; i++ {
		asked := make([][]time.Duration, len(questions))
		if err := askEach(ctx, questions, i, asked); err != nil {
			return nil, err
		}
		after, err := p.Stage(ctx, started)
		if err != nil {
			return nil, err
		}
		if before.Publishing && !after.Ended {
			for k := range during {
				during[k] = append(during[k], asked[k]...)
			}
		}
		before = after
	}
	if err == nil && len(during[0]) == 0 {
		err = errors.New("the publish was over before a question was answered; measure with more -entities")
	}
	return during, err
}

func spoken(took []time.Duration) string {
	return fmt.Sprintf("p50 %.2f, p99 %.2f ms", milliseconds(figure.Median(took)), milliseconds(figure.Percentile(took, 0.99)))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

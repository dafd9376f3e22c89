package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures beside a peer.
const (
	peerAsked = 200
	peerFirst = 20 // not measured
	// wholeAsked is how many whole answers are compared and measured.
	wholeAsked = 20
	// wholeRows is a page while a whole answer is read.
	wholeRows = 1000
)

// peers asks the same questions of Gatehouse and of OpenFGA, on the same estate
// and the same server, by turns: who-can beside ListUsers, what-can beside
// ListObjects. First for a page, then for whole answers, which must be the same
// sets.
func (b *bench) peers(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		return b.withWorker(ctx, p, func(*dataplane.Worker) (err error) {
			conn, err := p.Connect(ctx, "peers", b.estate())
			if err != nil {
				return err
			}
			begun := time.Now()
			if _, err := p.Discover(ctx, conn); err != nil {
				return err
			}
			discovered := time.Since(begun)
			peer, err := p.StartPeer(ctx, b.peer, "peer")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, peer.Stop()) }()
			tuples, loaded, err := peer.Load(b.estate())
			if err != nil {
				return err
			}
			if _, err := p.Super.Exec(ctx, "vacuum analyze entities, relationships"); err != nil {
				return fmt.Errorf("vacuum: %w", err)
			}
			b.Explain("peers: OpenFGA in a process of its own, called without network, PostgreSQL datastore on the same server, answers bounded by a minute; its lists have neither order, reasons nor a next page")
			b.Add(figure.Figure{
				Name:     fmt.Sprintf("First load of %d entities and %d relationships", b.entities, b.relationships),
				Measured: fmt.Sprintf("%.1f s", discovered.Seconds()),
				Limit:    fmt.Sprintf("OpenFGA, %d tuples by Write %.1f s", tuples, loaded.Seconds()),
				Ratio:    fmt.Sprintf("%.2f×", discovered.Seconds()/loaded.Seconds()),
			})
			return b.besidePeer(ctx, p, peer, conn)
		})
	})
}

func (b *bench) besidePeer(ctx context.Context, p *dataplane.Plane, peer *dataplane.Peer, conn id.Connection) error {
	for _, q := range b.firstPages(p, conn) {
		if err := b.pageBesidePeer(ctx, peer, q); err != nil {
			return err
		}
		if err := b.wholeBesidePeer(ctx, p, peer, q); err != nil {
			return err
		}
	}
	return nil
}

// listOf is how the peer is asked what is asked here.
func listOf(ref connector.Ref) (list, of string) {
	if ref.Kind == connector.Resource {
		return "users", generator.PeerName(ref)
	}
	return "objects", generator.PeerName(ref)
}

// pageBesidePeer compares the first page with the peer's answer of as many rows.
func (b *bench) pageBesidePeer(ctx context.Context, peer *dataplane.Peer, q firstPage) error {
	var ours, theirs []time.Duration
	rows, listed := 0, 0
	for i := range peerFirst + peerAsked {
		took, n, err := q.timed(ctx, i, graph.Moment{})
		if err != nil {
			return err
		}
		list, of := listOf(q.ref(i))
		found, peerTook, err := peer.List(list, of, pageRows)
		if err != nil {
			return err
		}
		if i >= peerFirst {
			ours, theirs = append(ours, took), append(theirs, peerTook)
			rows, listed = rows+n, listed+len(found)
		}
	}
	b.Add(figure.Figure{
		Name: fmt.Sprintf("%s, first %d", q.name, pageRows), Measured: fmt.Sprintf("%s, %d rows", spoken(ours), rows/peerAsked),
		Limit: fmt.Sprintf("OpenFGA %s, %d rows", spoken(theirs), listed/peerAsked),
		Ratio: fmt.Sprintf("%.2f×", float64(figure.Median(ours))/float64(figure.Median(theirs))),
	})
	return nil
}

// wholeBesidePeer reads whole answers, page after page, and holds them against
// the peer's.
func (b *bench) wholeBesidePeer(ctx context.Context, p *dataplane.Plane, peer *dataplane.Peer, q firstPage) error {
	var ours, theirs []time.Duration
	rows := 0
	asked := wholeAsked
	if q.ref(0) == q.ref(1) { // the heaviest is one
		asked = 1
	}
	for i := range asked {
		begun := time.Now()
		found, err := q.whole(ctx, p, q.ref(i))
		if err != nil {
			return err
		}
		took := time.Since(begun)
		list, of := listOf(q.ref(i))
		listed, peerTook, err := peer.List(list, of, 0)
		if err != nil {
			return err
		}
		slices.Sort(found)
		slices.Sort(listed)
		if !slices.Equal(found, listed) {
			return fmt.Errorf("%s of %s: %d here and %d by OpenFGA, or others", q.name, of, len(found), len(listed))
		}
		ours, theirs, rows = append(ours, took), append(theirs, peerTook), rows+len(found)
	}
	b.Add(figure.Figure{
		Name: q.name + ", whole answer, the same set", Measured: fmt.Sprintf("p50 %.1f ms, %d rows", milliseconds(figure.Median(ours)), rows/asked),
		Limit: fmt.Sprintf("OpenFGA p50 %.1f ms", milliseconds(figure.Median(theirs))),
		Ratio: fmt.Sprintf("%.2f×", float64(figure.Median(ours))/float64(figure.Median(theirs))),
	})
	return nil
}

// whole reads all pages of an answer and names its rows as the peer does.
func (q firstPage) whole(ctx context.Context, p *dataplane.Plane, ref connector.Ref) ([]string, error) {
	var found []string
	e := graph.NewEntityID(q.w, q.conn, ref)
	f := graph.AccessFilter{Limit: wholeRows}
	for {
		ask := p.Questions.WhatCan
		if ref.Kind == connector.Resource {
			ask = p.Questions.WhoCan
		}
		answer, err := ask(ctx, p.Caller, e, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		for _, r := range answer.Rows {
			about := r.Resource
			if ref.Kind == connector.Resource {
				about = r.Account
			}
			one := answer.Entities[about]
			found = append(found, generator.PeerName(connector.Ref{Kind: one.Kind, ID: one.ProviderID}))
		}
		if f.After = answer.Next; f.After == nil {
			return found, nil
		}
	}
}

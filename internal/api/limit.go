package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Limits says how many requests a listener takes. A rate is in requests a second;
// zero means no limit. Who was quiet may send five seconds' worth at once.
type Limits struct {
	// PerKey is for each API key or session.
	PerKey float64
	// PerWorkerToken is for each token of the worker protocol: the fleet's, which
	// claims, and that of each run.
	PerWorkerToken float64
	// PerAddress is for requests without a credential that was accepted before,
	// by source address (IPv6: by /64). It is what guessing is limited by.
	PerAddress float64
	// TrustedProxies may name the source address in X-Forwarded-For.
	TrustedProxies []netip.Prefix
}

const (
	burstSeconds = 5
	// mostBuckets bounds each table of a listener; a bucket is a limiter and its
	// entry, some hundred bytes.
	mostBuckets = 20_000
	// workerPaths begin the paths of the worker protocol.
	workerPaths = "/v1/worker/"
)

// Limiter holds the buckets of a listener. Nothing is stored beside it: each
// process limits what it is sent.
type Limiter struct {
	now       func() time.Time
	sources   sources
	keys      *buckets[credentialHash]
	workers   *buckets[credentialHash]
	addresses *buckets[netip.Addr]
}

// credentialHash stands for the token of an Authorization header, so that the
// tables hold no credential, and a token is one however its header is written.
type credentialHash [sha256.Size]byte

// NewLimiter returns a limiter that keeps to the limits.
func NewLimiter(l Limits) (*Limiter, error) {
	made := &Limiter{now: time.Now, sources: sources{proxies: l.TrustedProxies}}
	var errs [3]error
	made.keys, errs[0] = newBuckets[credentialHash](l.PerKey, mostBuckets)
	made.workers, errs[1] = newBuckets[credentialHash](l.PerWorkerToken, mostBuckets)
	made.addresses, errs[2] = newBuckets[netip.Addr](l.PerAddress, mostBuckets)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("limit requests: %w", err)
	}
	return made, nil
}

// wait returns how long the sender has to wait; zero lets the request pass. A
// credential that was accepted before counts by itself, so that a neighbour who
// guesses keys keeps nobody out.
func (l *Limiter) wait(r *http.Request) time.Duration {
	if hash, ok := hashOf(r); ok {
		if wait, known := l.table(r).takeKnown(hash, l.now()); known {
			return wait
		}
	}
	return l.addresses.take(bucketOf(l.sources.of(r)), l.now())
}

// accepted notes that the credential of a request is good. The request in which
// that was found counts as its first.
func (l *Limiter) accepted(r *http.Request) {
	hash, ok := hashOf(r)
	if table := l.table(r); ok && !table.byKey.Contains(hash) {
		table.take(hash, l.now())
	}
}

// table is apart for workers, whose rates are others.
func (l *Limiter) table(r *http.Request) *buckets[credentialHash] {
	if strings.HasPrefix(r.URL.Path, workerPaths) {
		return l.workers
	}
	return l.keys
}

func hashOf(r *http.Request) (hash credentialHash, ok bool) {
	token, err := bearer(r.Header.Get("Authorization"))
	return sha256.Sum256([]byte(token)), err == nil
}

// serve answers a request unless its sender sends too often. A nil limiter limits
// nobody.
func (l *Limiter) serve(w *responseWriter, r *http.Request, next http.Handler) {
	if l == nil {
		next.ServeHTTP(w, r)
		return
	}
	if wait := l.wait(r); wait > 0 {
		refuseForNow(w, r, wait)
		return
	}
	next.ServeHTTP(w, r)
	if a, ok := r.Context().Value(acceptanceKey{}).(*acceptance); ok && a.credential {
		l.accepted(r)
	}
}

// acceptance notes whether a request's credential was found to be good. An
// operation that looks at none, such as a probe, or that refuses a request
// before it looks, says nothing about what it was sent.
type acceptance struct {
	credential bool
}

type acceptanceKey struct{}

func withAcceptance(ctx context.Context) context.Context {
	return context.WithValue(ctx, acceptanceKey{}, &acceptance{})
}

// Accept notes that the credential of the request in ctx is good, so that it
// counts by itself from now on. Only who has checked it may call it.
func Accept(ctx context.Context) {
	if a, ok := ctx.Value(acceptanceKey{}).(*acceptance); ok {
		a.credential = true
	}
}

// refuseForNow answers 429.
func refuseForNow(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	writeProblem(w, problem(r.Context(), http.StatusTooManyRequests,
		fmt.Sprintf("too many requests; wait %d s before the next, as Retry-After says, and send fewer", seconds)))
}

// buckets is a table of token buckets that forgets the one that was not used for
// longest when it is full.
type buckets[K comparable] struct {
	rate  rate.Limit
	burst int
	byKey *lru.Cache[K, *rate.Limiter]
}

// newBuckets makes a table for a rate; zero limits nothing and still knows keys.
func newBuckets[K comparable](perSecond float64, most int) (*buckets[K], error) {
	b := &buckets[K]{rate: rate.Inf, burst: 1}
	if perSecond > 0 {
		b.rate, b.burst = rate.Limit(perSecond), max(1, int(perSecond*burstSeconds))
	}
	var err error
	b.byKey, err = lru.New[K, *rate.Limiter](most)
	return b, err
}

// take takes one request out of a bucket, which is made full if there is none. It
// returns how long to wait when the bucket is empty, and then takes nothing.
func (b *buckets[K]) take(key K, now time.Time) time.Duration {
	if wait, known := b.takeKnown(key, now); known {
		return wait
	}
	made := rate.NewLimiter(b.rate, b.burst)
	if other, ok, _ := b.byKey.PeekOrAdd(key, made); ok {
		made = other
	}
	return takeFrom(made, now)
}

// takeKnown is take for a bucket that is there.
func (b *buckets[K]) takeKnown(key K, now time.Time) (wait time.Duration, known bool) {
	found, ok := b.byKey.Get(key)
	if !ok {
		return 0, false
	}
	return takeFrom(found, now), true
}

func takeFrom(bucket *rate.Limiter, now time.Time) time.Duration {
	r := bucket.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

package worker

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apirun "github.com/gatehouse-project/gatehouse/internal/api/run"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Discovery is what the discovery service needs to serve workers.
type Discovery struct {
	Leases *run.Leases
	Ingest *graph.Ingest
	// Budgets gives leave to call providers.
	Budgets *budget.Service
	// Batches reads what workers send.
	Batches *workerapi.Decoder
	// Token is what the fleet's workers claim with.
	Token secret.Secret
}

// MountDiscovery adds the discovery service's side of the protocol.
func MountDiscovery(a huma.API, d Discovery) {
	register(a, http.MethodPost, "claim-run", "/v1/worker/claim", d.claim)
	register(a, http.MethodPost, "abandon-claim", workerapi.AbandonPath, d.abandon)
	register(a, http.MethodPost, "heartbeat-run", "/v1/worker/runs/{run_id}/heartbeat", d.heartbeat)
	register(a, http.MethodPost, "reach-run", "/v1/worker/runs/{run_id}/reach", d.reach)
	register(a, http.MethodPost, "hand-back-run", "/v1/worker/runs/{run_id}/hand-back", d.handBack)
	register(a, http.MethodPost, "finish-run", "/v1/worker/runs/{run_id}/finish", d.finish)
	registerBatches(a, d)
	registerBudgets(a, d)
}

// register adds an operation of the protocol. It is no part of the public API.
func register[I, O any](a huma.API, method, name, path string, handler func(context.Context, *I) (*O, error)) {
	api.Register(a, huma.Operation{OperationID: name, Method: method, Path: path, Hidden: true, Security: api.NoKey()}, handler)
}

// Bearer is the token a call of the protocol carries. It and [Held] are exported
// because huma finds no parameters in an embedded struct that is not.
type Bearer struct {
	Authorization api.BearerToken `header:"Authorization"`
}

// Held is the part of a call that proves who holds the run.
type Held struct {
	Bearer
	RunID api.PathID[id.Run] `path:"run_id"`
}

// fence returns the proof that a call carries. Whether it is any good is for the
// store to say.
func (h Held) fence(l workerapi.Lease) (run.Fence, run.Token, error) {
	token, err := run.ParseToken(h.Authorization.Reveal())
	if err != nil {
		return run.Fence{}, token, err
	}
	lease, err := leaseID(l.LeaseID)
	if err != nil {
		return run.Fence{}, token, err
	}
	if token.Run != h.RunID.ID || token.Epoch != l.Epoch {
		return run.Fence{}, token, fault.New(fault.Stale, "the token is for another run or epoch")
	}
	return run.Fence{Workspace: token.Workspace, Run: token.Run, Epoch: token.Epoch, Lease: lease, TokenHash: token.Hash}, token, nil
}

// leaseID reads the id of a lease.
func leaseID(text string) (lease run.LeaseID, err error) {
	if n, err := hex.DecodeString(text); err != nil || copy(lease[:], n) != len(lease) || len(text) != 2*len(lease) {
		return lease, fault.InvalidField("lease_id", "must be 32 hexadecimal digits")
	}
	return lease, nil
}

// admitWorker refuses whoever does not have the fleet's token.
func (d Discovery) admitWorker(ctx context.Context, b Bearer) error {
	have, want := sha256.Sum256([]byte(b.Authorization.Reveal())), sha256.Sum256(d.Token.Reveal())
	if subtle.ConstantTimeCompare(have[:], want[:]) != 1 {
		return fault.New(fault.Unauthenticated, "the worker token is not valid; see --token-file")
	}
	api.Accept(ctx)
	return nil
}

type abandonInput struct {
	Bearer
	Body workerapi.Abandon
}

func (d Discovery) abandon(ctx context.Context, in *abandonInput) (*struct{}, error) {
	if err := d.admitWorker(ctx, in.Bearer); err != nil {
		return nil, err
	}
	lease, err := leaseID(in.Body.LeaseID)
	if err != nil {
		return nil, err
	}
	return nil, d.Leases.Abandon(ctx, lease)
}

type claimInput struct {
	Bearer
	Body workerapi.ClaimRequest
}

type claimOutput struct {
	Status int
	Body   *workerapi.Assignment
}

func (d Discovery) claim(ctx context.Context, in *claimInput) (*claimOutput, error) {
	if err := d.admitWorker(ctx, in.Bearer); err != nil {
		return nil, err
	}
	var lease run.LeaseID
	if in.Body.LeaseID != "" {
		var err error
		if lease, err = leaseID(in.Body.LeaseID); err != nil {
			return nil, err
		}
	}
	queues := make([]operation.Queue, len(in.Body.Queues))
	for i, q := range in.Body.Queues {
		queues[i] = operation.Queue(q)
	}
	wait := min(time.Duration(in.Body.WaitSeconds)*time.Second, workerapi.MaxWait)
	a, token, ok, err := d.Leases.Claim(ctx, in.Body.Worker, queues, lease, wait)
	if err != nil {
		return nil, err
	}
	if !ok {
		return &claimOutput{Status: http.StatusNoContent}, nil
	}
	shown, err := assignment(a, token)
	if err != nil {
		return nil, err
	}
	return &claimOutput{Status: http.StatusOK, Body: shown}, nil
}

func assignment(a run.Assignment, token secret.Secret) (*workerapi.Assignment, error) {
	shown := &workerapi.Assignment{
		RunID: a.Run.ID, Epoch: a.Run.Epoch, LeaseID: hex.EncodeToString(a.Lease[:]), Token: token.RevealString(),
		OperationType: string(a.Run.Operation), IntegrationID: string(a.Run.Integration), ConnectionID: a.Run.Connection, Attempt: a.Run.Attempt,
		LeaseSeconds: int(run.LeaseFor.Seconds()), HeartbeatSeconds: int(run.HeartbeatEvery.Seconds()), NextBatch: a.NextBatch,
	}
	in, err := a.Run.Said()
	if err != nil {
		return nil, err
	}
	shown.Selection = workerapi.Selection{Streams: in.Streams, Partitions: in.Partitions}
	if a.Run.DeadlineAt != nil {
		shown.DeadlineSeconds = max(1, int(time.Until(*a.Run.DeadlineAt).Seconds()))
	}
	for _, p := range a.Partitions {
		shown.Partitions = append(shown.Partitions, workerapi.Partition{Stream: p.Stream, Key: p.Key, Cursor: string(p.Cursor), Ended: p.Ended})
	}
	return shown, nil
}

type heartbeatInput struct {
	Held
	Body workerapi.Heartbeat
}

type heartbeatOutput struct{ Body workerapi.HeartbeatAnswer }

func (d Discovery) heartbeat(ctx context.Context, in *heartbeatInput) (*heartbeatOutput, error) {
	f, _, err := in.fence(in.Body.Lease)
	if err != nil {
		return nil, err
	}
	cancel, err := d.Leases.Heartbeat(ctx, f, in.Body.Progress)
	if err != nil {
		return nil, err
	}
	api.Accept(ctx)
	return &heartbeatOutput{Body: workerapi.HeartbeatAnswer{Cancel: cancel}}, nil
}

type reachInput struct {
	Held
	Body workerapi.Reach
}

type reachOutput struct{ Body workerapi.ReachAnswer }

func (d Discovery) reach(ctx context.Context, in *reachInput) (*reachOutput, error) {
	f, _, err := in.fence(in.Body.Lease)
	if err != nil {
		return nil, err
	}
	ok, err := d.Leases.Reach(ctx, f, run.Reached{Target: in.Body.Target, ActsAs: in.Body.ActsAs})
	if err != nil {
		return nil, err
	}
	api.Accept(ctx)
	return &reachOutput{Body: workerapi.ReachAnswer{Ended: !ok}}, nil
}

type leaseInput struct {
	Held
	Body workerapi.Lease
}

func (d Discovery) handBack(ctx context.Context, in *leaseInput) (*struct{}, error) {
	f, _, err := in.fence(in.Body)
	if err != nil {
		return nil, err
	}
	if err := d.Leases.HandBack(ctx, f); err != nil {
		return nil, err
	}
	api.Accept(ctx)
	return nil, nil
}

type finishInput struct {
	Held
	Body workerapi.Finish
}

type finishOutput struct{ Body apirun.Run }

func (d Discovery) finish(ctx context.Context, in *finishInput) (*finishOutput, error) {
	f, _, err := in.fence(in.Body.Lease)
	if err != nil {
		return nil, err
	}
	r, err := d.Leases.Finish(ctx, f, run.Report{
		Cancelled: in.Body.Cancelled, Error: in.Body.Error.Error(), Check: in.Body.Check, PlanComplete: in.Body.PlanComplete,
		NoCredential: in.Body.NoCredential,
	})
	if err != nil {
		return nil, err
	}
	api.Accept(ctx)
	return &finishOutput{Body: apirun.FromDomain(r)}, nil
}

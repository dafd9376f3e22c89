package worker

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

func registerBatches(a huma.API, d Discovery) {
	api.Register(a, huma.Operation{
		OperationID: "put-batch", Method: http.MethodPut, Path: "/v1/worker/runs/{run_id}/batches/{number}", Hidden: true,
		Security: api.NoKey(), MaxBodyBytes: workerapi.MaxBatchBytes,
	}, d.putBatch)
}

type batchInput struct {
	Held
	Number  int64  `path:"number" minimum:"0"`
	Lease   string `header:"Gatehouse-Lease" maxLength:"64"`
	RawBody []byte `contentType:"application/x-ndjson"`
}

func (d Discovery) putBatch(ctx context.Context, in *batchInput) (*struct{}, error) {
	epoch, leaseID, _ := strings.Cut(in.Lease, ".")
	n, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return nil, fault.InvalidField("header."+workerapi.LeaseHeader, "must be <epoch>.<lease id>")
	}
	f, _, err := in.fence(workerapi.Lease{Epoch: n, LeaseID: leaseID})
	if err != nil {
		return nil, err
	}
	return nil, d.Ingest.Take(ctx, f, func() (graph.Batch, error) { return in.batch(d.Batches) })
}

// batch reads what was sent.
func (in *batchInput) batch(d *workerapi.Decoder) (graph.Batch, error) {
	header, page, err := d.Decode(in.RawBody)
	switch {
	case errors.Is(err, workerapi.ErrTooLarge):
		return graph.Batch{}, fault.New(fault.TooLarge, "contract violation: %v", err)
	case err != nil:
		return graph.Batch{}, fault.New(fault.Invalid, "contract violation: %v", err)
	}
	return graph.Batch{
		Number: in.Number, Digest: sha256.Sum256(in.RawBody), Stream: header.Stream, Partition: header.Partition,
		Page: *page, End: header.End, Failure: header.Failure.Error(),
	}, nil
}

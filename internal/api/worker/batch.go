package worker

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// batchTime bounds how long a batch may take to arrive. A worker gives up on one
// at about the same time.
const batchTime = time.Minute

func registerBatches(a huma.API, d Discovery) {
	register(a, http.MethodPut, "put-batch", "/v1/worker/runs/{run_id}/batches/{number}", d.putBatch)
}

type batchInput struct {
	Held
	Number int64  `path:"number" minimum:"0"`
	Lease  string `header:"Gatehouse-Lease" maxLength:"64"`
	body   io.Reader
}

// Resolve keeps the body for later instead of having it read now: nobody may fill
// the memory who does not hold the run. It implements [huma.Resolver].
func (in *batchInput) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	if err := ctx.SetReadDeadline(time.Now().Add(batchTime)); err != nil {
		return []error{err}
	}
	return nil
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
	// The body is asked for only once the fence has held.
	return nil, d.Ingest.Take(ctx, f, in.Number, func() (graph.Batch, error) {
		api.Accept(ctx)
		return in.batch(d.Batches)
	})
}

// batch reads what is sent.
func (in *batchInput) batch(d *workerapi.Decoder) (graph.Batch, error) {
	sent, err := io.ReadAll(io.LimitReader(in.body, workerapi.MaxBatchBytes+1))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), len(sent) > workerapi.MaxBatchBytes:
		return graph.Batch{}, fault.New(fault.TooLarge, "contract violation: the batch is larger than %d bytes", workerapi.MaxBatchBytes)
	case err != nil:
		return graph.Batch{}, fault.Wrap(fault.Unavailable, err, "the batch did not arrive whole within %s; send it again", batchTime)
	}
	header, page, err := d.Decode(sent)
	switch {
	case errors.Is(err, workerapi.ErrTooLarge):
		return graph.Batch{}, fault.New(fault.TooLarge, "contract violation: %v", err)
	case err != nil:
		return graph.Batch{}, fault.New(fault.Invalid, "contract violation: %v", err)
	}
	return graph.Batch{
		Digest: sha256.Sum256(sent), Stream: header.Stream, Partition: header.Partition,
		Page: *page, End: header.End, Failure: header.Failure.Error(),
	}, nil
}

package export

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on exports.
type operations struct {
	exports *domain.Service
}

// Mount adds the operations on exports.
func Mount(a huma.API, exports *domain.Service) {
	o := &operations{exports: exports}
	const all, one = "/v1/exports", "/v1/exports/{export_id}"
	tags := []string{"Exports"}
	finished := []int{http.StatusNotFound, http.StatusConflict}
	api.Register(a, huma.Operation{
		OperationID: "create-export", Method: http.MethodPost, Path: all, Tags: tags, DefaultStatus: http.StatusCreated,
		Extensions: api.Needs(workspace.Export), Summary: "Request an export",
		Description: "A file of what the access graph says at the moment when its making begins, made in the background. The request is recorded. " +
			"Files are kept for some days, and as long as there is room. Also needs workspace.read, which every role of a workspace has.",
		Errors: []int{http.StatusConflict, http.StatusUnprocessableEntity},
	}, o.create)
	api.Register(a, huma.Operation{
		OperationID: "list-exports", Method: http.MethodGet, Path: all, Tags: tags,
		Extensions: api.Needs(workspace.Export), Summary: "List exports", Description: "Everybody's of the workspace, the newest first.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "get-export", Method: http.MethodGet, Path: one, Tags: tags,
		Extensions: api.Needs(workspace.Export), Summary: "Get an export", Description: "Where it stands: rows and bytes grow while its file is made.",
		Errors: []int{http.StatusNotFound},
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "get-export-manifest", Method: http.MethodGet, Path: one + "/manifest", Tags: tags,
		Extensions: api.Needs(workspace.Export), Summary: "Get an export's manifest",
		Description: "What the file holds, as of when, how completely was looked, and its SHA-256. The manifest's own SHA-256, over the bytes of this answer, is in the audit event export_completed.",
		Errors:      finished,
		Responses: map[string]*huma.Response{"200": {
			Description: "The manifest.",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[domain.Manifest](), true, "ExportManifest"),
			}},
		}},
	}, o.manifest)
	api.Register(a, huma.Operation{
		OperationID: "download-export", Method: http.MethodGet, Path: one + "/content", Tags: tags,
		Extensions: api.Needs(workspace.Export), Summary: "Download an export's file",
		Description: "The whole file or, with Range, a part of it: a download that was cut off goes on with the rest. Each request is recorded. The ETag is the file's SHA-256; " +
			"with it as If-Range a part is of the file that the first one was of. Of several ranges in one request, none is heeded.",
		Errors:    append([]int{http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable}, finished...),
		Responses: contentResponses(),
	}, o.download)
	api.Register(a, huma.Operation{
		OperationID: "cancel-export", Method: http.MethodPost, Path: one + "/cancel", Tags: tags,
		Extensions: api.Needs(workspace.Export), Summary: "Cancel an export", Description: "Ends one that has not ended. What was written of its file is thrown away.",
		Errors: finished,
	}, o.cancel)
	api.Register(a, huma.Operation{
		OperationID: "delete-export", Method: http.MethodDelete, Path: one, Tags: tags, DefaultStatus: http.StatusNoContent,
		Extensions: api.Needs(workspace.Export), Summary: "Delete an export", Description: "With its file, also one that is being made. What the audit record says of it stays.",
		Errors: []int{http.StatusNotFound},
	}, o.delete)
}

func (o *operations) create(ctx context.Context, in *createInput) (*createdOutput, error) {
	caller := api.CallerFrom(ctx)
	query, err := in.Body.domain()
	if err != nil {
		return nil, err
	}
	once, err := in.Request(ctx, "create-export", in.Body)
	if err != nil {
		return nil, err
	}
	x, replayed, err := o.exports.Create(ctx, caller, query, once)
	if err != nil {
		return nil, err
	}
	return &createdOutput{Location: "/v1/exports/" + x.ID.String(), Replayed: api.Replay(replayed), Body: fromDomain(x)}, nil
}

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := api.After[id.Export](in.Page)
	if err != nil {
		return nil, err
	}
	caller := api.CallerFrom(ctx)
	f := domain.Filter{Status: domain.Status(in.Status), Before: before, Limit: in.Fetch()}
	if in.Mine {
		f.RequestedBy = caller.Member
	}
	found, err := o.exports.List(ctx, caller, f)
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(x domain.Export) id.Export { return x.ID })
	out := &listOutput{Body: List{Exports: make([]Export, len(items)), NextCursor: next}}
	for i, x := range items {
		out.Body.Exports[i] = fromDomain(x)
	}
	return out, nil
}

func (o *operations) get(ctx context.Context, in *oneInput) (*oneOutput, error) {
	return shown(o.exports.Get(ctx, api.CallerFrom(ctx), in.ExportID.ID))
}

func (o *operations) cancel(ctx context.Context, in *oneInput) (*oneOutput, error) {
	return shown(o.exports.Cancel(ctx, api.CallerFrom(ctx), in.ExportID.ID))
}

func (o *operations) delete(ctx context.Context, in *oneInput) (*struct{}, error) {
	return nil, o.exports.Delete(ctx, api.CallerFrom(ctx), in.ExportID.ID)
}

func shown(x domain.Export, err error) (*oneOutput, error) {
	if err != nil {
		return nil, err
	}
	return &oneOutput{Body: fromDomain(x)}, nil
}

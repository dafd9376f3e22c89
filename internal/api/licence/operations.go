package licence

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on the licence.
type operations struct {
	licences *domain.Service
}

// maxBodyBytes leaves a licence room for how JSON writes its line ends.
const maxBodyBytes = 2 * domain.MaxDocumentBytes

// Mount adds the operations on the licence.
func Mount(a huma.API, licences *domain.Service) {
	o := &operations{licences: licences}
	tags := []string{"Licence"}
	api.Register(a, huma.Operation{
		OperationID: "get-licence", Method: http.MethodGet, Path: "/v1/licence", Tags: tags, Extensions: api.Needs(workspace.ReadAdministration),
		Summary:     "Get the licence",
		Description: "What the tenant may use now, by the database's clock. Needs administration.read; what is used is shown to those with licence.manage.",
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "install-licence", Method: http.MethodPut, Path: "/v1/licence", Tags: tags, MaxBodyBytes: maxBodyBytes,
		Extensions: api.Needs(workspace.ManageLicence),
		Summary:    "Install a licence",
		Description: "Puts a licence in force for the whole tenant, at once and for every service. One that is altered, cut off, for another tenant, not yet or no longer " +
			"valid, signed with a key that is not trusted, or older than the one in force is refused, and the former stays. Needs licence.manage.",
		Errors: []int{http.StatusConflict},
	}, o.install)
}

type output struct {
	Body Licence
}

type installInput struct {
	Body Draft
}

func (o *operations) get(ctx context.Context, _ *struct{}) (*output, error) {
	return answer(o.licences.Show(ctx, api.CallerFrom(ctx)))
}

func (o *operations) install(ctx context.Context, in *installInput) (*output, error) {
	return answer(o.licences.Install(ctx, api.CallerFrom(ctx), in.Body.Licence))
}

func answer(s domain.Standing, use *domain.Use, err error) (*output, error) {
	if err != nil {
		return nil, err
	}
	return &output{Body: fromDomain(s, use)}, nil
}

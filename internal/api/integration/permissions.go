package integration

import (
	"context"
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// PermissionPack is permissions in a form that the provider takes as it is.
type PermissionPack struct {
	Kind         string `json:"kind" example:"aws_iam_policy" doc:"The provider's form, or permission_list for one that people read."`
	Title        string `json:"title"`
	Instructions string `json:"instructions" doc:"What to do with it."`
	Format       string `json:"format" enum:"json,text"`
	FileName     string `json:"file_name"`
	Content      string `json:"content"`
}

// PermissionPacks is how the API shows what to grant; never null.
func PermissionPacks(packs []connector.PermissionPack) []PermissionPack {
	shown := make([]PermissionPack, len(packs))
	for i, p := range packs {
		shown[i] = PermissionPack(p)
	}
	return shown
}

// Permissions is what to grant for an integration.
type Permissions struct {
	IntegrationID   string           `json:"integration_id" example:"aws"`
	PermissionPacks []PermissionPack `json:"permission_packs" nullable:"false"`
}

type permissionsInput struct {
	IntegrationID string `path:"integration_id" maxLength:"63" example:"aws"`
	Configuration string `query:"configuration" maxLength:"8192" example:"{\"organizations_enabled\":true}" doc:"Readable fields of the configuration, a JSON object; as many as are known."`
	Scope         string `query:"scope" maxLength:"8192" doc:"The scope, a JSON object."`
}

type permissionsOutput struct {
	Body Permissions
}

func permissions(catalog *domain.Catalog) func(context.Context, *permissionsInput) (*permissionsOutput, error) {
	return func(ctx context.Context, in *permissionsInput) (*permissionsOutput, error) {
		if err := api.CallerFrom(ctx).Require(workspace.ReadWorkspace); err != nil {
			return nil, err
		}
		entry, err := catalog.Get(domain.ID(in.IntegrationID))
		if err != nil {
			return nil, err
		}
		packs, err := entry.PermissionPacks(json.RawMessage(in.Configuration), json.RawMessage(in.Scope))
		if err != nil {
			return nil, err
		}
		return &permissionsOutput{Body: Permissions{IntegrationID: in.IntegrationID, PermissionPacks: PermissionPacks(packs)}}, nil
	}
}

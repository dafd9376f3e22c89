package main

import (
	"context"
	"fmt"
	"strings"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
)

// ask lists the accounts that reach a resource, or the resources that an account
// reaches.
func (s *store) ask(ctx context.Context, q input) ([]string, error) {
	serving, err := s.server(q.Most)
	if err != nil {
		return nil, err
	}
	switch q.List {
	case "objects":
		out, err := serving.ListObjects(ctx, &openfgav1.ListObjectsRequest{
			StoreId: s.id, AuthorizationModelId: s.model, Type: "resource", Relation: "reader", User: q.Of,
		})
		if err != nil {
			return nil, err
		}
		return append([]string{}, out.GetObjects()...), nil
	case "users":
		kind, name, _ := strings.Cut(q.Of, ":")
		out, err := serving.ListUsers(ctx, &openfgav1.ListUsersRequest{
			StoreId: s.id, AuthorizationModelId: s.model, Object: &openfgav1.Object{Type: kind, Id: name}, Relation: "reader",
			UserFilters: []*openfgav1.UserTypeFilter{{Type: "account"}},
		})
		if err != nil {
			return nil, err
		}
		found := make([]string, 0, len(out.GetUsers()))
		for _, u := range out.GetUsers() {
			found = append(found, u.GetObject().GetType()+":"+u.GetObject().GetId())
		}
		return found, nil
	}
	return nil, fmt.Errorf("there are lists of users and of objects, and none of %q", q.List)
}

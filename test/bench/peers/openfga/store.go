package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"github.com/openfga/language/pkg/go/transformer"
	"github.com/openfga/openfga/pkg/server"
	"github.com/openfga/openfga/pkg/storage/migrate"
	"github.com/openfga/openfga/pkg/storage/postgres"
	"github.com/openfga/openfga/pkg/storage/sqlcommon"
)

// model is the generated estate's: who holds an entitlement holds what it
// includes, and reaches what it grants.
const model = `model
  schema 1.1

type account

type entitlement
  relations
    define holder: [account, entitlement#holder]

type resource
  relations
    define reader: [entitlement#holder]
`

const (
	// connections are as many as Gatehouse has in the same benchmark.
	connections = 16
	// deadline replaces OpenFGA's 3 seconds, after which it answers with what it
	// has found until then and does not say so.
	deadline = time.Minute
	// migrateTime bounds the wait for the database, pingTime one try of it.
	migrateTime = time.Minute
	pingTime    = 10 * time.Second
)

// store is one store of OpenFGA on PostgreSQL.
type store struct {
	url       string
	datastore *postgres.Datastore
	id, model string
	// servers are by the largest answer that they give.
	servers map[uint32]*server.Server
}

// open makes OpenFGA's tables, a store, and its model.
func open(ctx context.Context, url string) (*store, error) {
	if err := migrate.RunMigrations(migrate.MigrationConfig{Engine: "postgres", URI: url, Timeout: migrateTime, PingTimeout: pingTime}); err != nil {
		return nil, fmt.Errorf("make the tables: %w", err)
	}
	datastore, err := postgres.New(url, sqlcommon.NewConfig(sqlcommon.WithMaxOpenConns(connections)))
	if err != nil {
		return nil, fmt.Errorf("open the datastore: %w", err)
	}
	s := &store{url: url, datastore: datastore, servers: map[uint32]*server.Server{}}
	if err := s.begin(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *store) begin(ctx context.Context) error {
	serving, err := s.server(0)
	if err != nil {
		return err
	}
	made, err := serving.CreateStore(ctx, &openfgav1.CreateStoreRequest{Name: "bench"})
	if err != nil {
		return fmt.Errorf("make a store: %w", err)
	}
	s.id = made.GetId()
	read, err := transformer.TransformDSLToProto(model)
	if err != nil {
		return fmt.Errorf("read the model: %w", err)
	}
	written, err := serving.WriteAuthorizationModel(ctx, &openfgav1.WriteAuthorizationModelRequest{
		StoreId: s.id, SchemaVersion: read.GetSchemaVersion(), TypeDefinitions: read.GetTypeDefinitions(), Conditions: read.GetConditions(),
	})
	if err != nil {
		return fmt.Errorf("write the model: %w", err)
	}
	s.model = written.GetAuthorizationModelId()
	return nil
}

// server returns one that answers with at most so many; 0 bounds it by nothing.
func (s *store) server(most uint32) (*server.Server, error) {
	if known, ok := s.servers[most]; ok {
		return known, nil
	}
	made, err := server.NewServerWithOpts(
		server.WithDatastore(s.datastore),
		server.WithListObjectsMaxResults(most), server.WithListUsersMaxResults(most),
		server.WithListObjectsDeadline(deadline), server.WithListUsersDeadline(deadline), server.WithRequestTimeout(deadline),
	)
	if err != nil {
		return nil, fmt.Errorf("make a server: %w", err)
	}
	s.servers[most] = made
	return made, nil
}

// settle does what PostgreSQL does by itself within minutes.
func (s *store) settle(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, err = conn.Exec(ctx, "vacuum analyze tuple")
	if closed := conn.Close(ctx); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// close ends the servers, the first of which closes the datastore with it.
func (s *store) close() {
	for _, one := range s.servers {
		one.Close()
	}
	s.datastore.Close()
}

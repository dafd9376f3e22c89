package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// levelsSQL joins the workspace's own part with how the budgets stand, which a
// function shows to those who take part.
const levelsSQL = `
	with own as (
		select h.budget_id, min(h.integration_id) as integration_id, min(h.scope) as scope, min(h.key) as key, max(h.asked_at) as asked_at,
			array_agg(distinct h.connection_id order by h.connection_id) as connections,
			count(*) filter (where h.waiting_until > clock_timestamp()) as waiting
		from throttle_holders h
		where h.workspace_id = $1 and h.budget_id > $2 and ($3::bigint = 0 or h.connection_id = $3)
		group by h.budget_id
		order by h.budget_id
		limit $4)
	select o.budget_id, o.integration_id, o.scope, o.key, o.asked_at, o.connections, o.waiting,
		l.tokens, l.pace, l.throttled_at, l.paused_until, l.refilled_at, l.checked_at
	from own o join throttle_levels(array(select budget_id from own)) l on l.budget_id = o.budget_id
	order by o.budget_id`

// Levels lists how budgets stand.
func (s *Budgets) Levels(ctx context.Context, scope id.Scope, f budget.LevelFilter) (levels []budget.StoredLevel, err error) {
	after := f.After[:]
	if f.After == (budget.ID{}) {
		after = []byte{}
	}
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, levelsSQL, int64(scope.Workspace), after, int64(f.Connection), f.Limit)
		if err != nil {
			return fmt.Errorf("list throttle budgets: %w", err)
		}
		levels, err = pgx.CollectRows(rows, storedLevel)
		return err
	})
	return levels, err
}

func storedLevel(row pgx.CollectableRow) (l budget.StoredLevel, err error) {
	var name []byte
	var connections []int64
	err = row.Scan(&name, &l.Key.Integration, &l.Key.Scope, &l.Key.Parts, &l.AskedAt, &connections, &l.Waiting,
		&l.Tokens, &l.Pace, &l.ThrottledAt, &l.PausedUntil, &l.CountedAt, &l.Now)
	copy(l.Budget[:], name)
	for _, c := range connections {
		l.Connections = append(l.Connections, id.Connection(c))
	}
	return l, err
}

package connector

import _ "github.com/jackc/pgx/v5"

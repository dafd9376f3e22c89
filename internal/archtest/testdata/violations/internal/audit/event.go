package audit

import _ "github.com/gatehouse-project/gatehouse/internal/run"

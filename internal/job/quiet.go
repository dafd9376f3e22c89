package job

import (
	"context"
	"log/slog"
)

// quiet passes on what River warns of. What it tells otherwise, such as every few
// seconds how many jobs were done, is for those who log everything.
type quiet struct{ slog.Handler }

// Enabled reports whether a message of the level is passed on.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, level) && (level >= slog.LevelWarn || q.Handler.Enabled(ctx, slog.LevelDebug))
}

// WithAttrs is for the logger.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup is for the logger.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

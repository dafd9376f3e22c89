package cli

import "time"

// exportBounds is the flags of the commands that keep exports.
type exportBounds struct {
	KeepExports     time.Duration `default:"168h" env:"GATEHOUSE_KEEP_EXPORTS" placeholder:"DURATION" help:"How long exports are kept once they have ended, at least 1h (${default})."`
	ExportsMaxBytes int64         `default:"8589934592" env:"GATEHOUSE_EXPORTS_MAX_BYTES" placeholder:"BYTES" help:"The most that the file of an export may have, before it is compressed for keeping; a workspace keeps up to four times that (${default}, 8 GiB)."`
}

// leastExportBytes is the least bound of a file: a chunk of it.
const leastExportBytes = 1 << 20

func (b exportBounds) exportLimits() (ExportLimits, error) {
	if b.KeepExports < time.Hour {
		return ExportLimits{}, usagef("--keep-exports: must be at least %s", time.Hour)
	}
	if b.ExportsMaxBytes < leastExportBytes {
		return ExportLimits{}, usagef("--exports-max-bytes: must be at least %d", leastExportBytes)
	}
	return ExportLimits{Keep: b.KeepExports, MaxBytes: b.ExportsMaxBytes}, nil
}

package pgserver

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

const mebibyte = 1 << 20

// settings returns the server's parameters. Later ones win: the shared base,
// then what trades safety for speed, then what the caller asks for.
func settings(cfg Config, port int) map[string]string {
	memory := machineMemory()
	all := map[string]string{
		"listen_addresses": "127.0.0.1",
		"port":             strconv.Itoa(port),
		// Relative to the cluster: no path is too long for a socket then.
		"unix_socket_directories": ".",
		"password_encryption":     "scram-sha-256",
		"max_connections":         "200",
		"shared_buffers":          megabytes(share(memory, 8, 64, 512)),
		"effective_cache_size":    megabytes(share(memory, 2, 256, 16384)),
		"maintenance_work_mem":    megabytes(share(memory, 32, 64, 256)),
		"work_mem":                megabytes(share(memory, 256, 8, 32)),
		// Nothing replicates from this server; minimal logging lets a first
		// load skip the WAL of tables made in the same transaction.
		"wal_level":          "minimal",
		"max_wal_senders":    "0",
		"max_wal_size":       "4GB",
		"checkpoint_timeout": "15min",
		"random_page_cost":   "1.1",
		// Compiling costs more than it gains on short questions.
		"jit":                         "off",
		"timezone":                    "UTC",
		"log_timezone":                "UTC",
		"log_checkpoints":             "off",
		"log_autovacuum_min_duration": "-1",
	}
	if !cfg.Durable {
		maps.Copy(all, map[string]string{
			"fsync":            "off",
			"full_page_writes": "off",
			// synchronous_commit stays on: without fsync it costs little, and the
			// fault tests kill the server and count on what it confirmed.
			"shared_buffers": megabytes(share(memory, 16, 64, 128)),
		})
	}
	maps.Copy(all, cfg.Settings)
	return all
}

// arguments spells the parameters as command-line arguments in a stable order.
func arguments(parameters map[string]string) []string {
	args := make([]string, 0, 2*len(parameters))
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		args = append(args, "-c", name+"="+parameters[name])
	}
	return args
}

// share is a fraction of the memory in MiB, kept between low and high.
func share(memory, divisor, low, high int64) int64 {
	return min(max(memory/divisor/mebibyte, low), high)
}

func megabytes(n int64) string { return strconv.FormatInt(n, 10) + "MB" }

// machineMemory is what this process may use in bytes: the machine's memory, or
// the container's limit where that is lower. Where neither can be read it is 0,
// and every share takes its lower bound.
func machineMemory() int64 {
	memory := meminfoTotal(readOrEmpty("/proc/meminfo"))
	limit, err := strconv.ParseInt(strings.TrimSpace(readOrEmpty("/sys/fs/cgroup/memory.max")), 10, 64)
	if err == nil && limit > 0 && limit < memory {
		return limit
	}
	return memory
}

func meminfoTotal(meminfo string) int64 {
	for line := range strings.Lines(meminfo) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "MemTotal:" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0
		}
		return kib * 1024
	}
	return 0
}

func readOrEmpty(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(content)
}

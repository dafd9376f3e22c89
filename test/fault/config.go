package fault

import (
	"io"
	"time"
)

// Config says how much is to be broken.
type Config struct {
	// Gatehouse is the built program.
	Gatehouse string
	// Seed decides which operations and faults there are, and in which order; not
	// at which moment of a run each of them strikes.
	Seed uint64
	// Faults is how many to inject, PerRound after how many everything has to come
	// to rest and is compared.
	Faults, PerRound int
	// Pace is the mean pause between two faults.
	Pace time.Duration
	// Connections and Workers there are. With more workers than connections, one
	// is free to take over a run as soon as it may.
	Connections, Workers int
	// People is the size of each simulated organisation, Latency what each of a
	// provider's answers takes at the least.
	People  int
	Latency time.Duration
	// Hasten ends leases in the database as soon as nobody keeps them, instead of
	// waiting for their end; the time of a take-over is then not measured.
	Hasten bool
	// Disk is the size of a disk for PostgreSQL alone, in bytes, so that it can be
	// filled up; zero for none. It has to be mounted, which only root may.
	Disk int64
	// Dir is for everything that is written.
	Dir string
	// Out is told what happens.
	Out io.Writer
}

// Short is for each run of the tests.
func Short(seed uint64) Config {
	return Config{
		Seed: seed, Faults: 24, PerRound: 24, Pace: 500 * time.Millisecond, Connections: 3, Workers: 4, People: 8, Latency: 5 * time.Millisecond, Hasten: true,
	}
}

// Long is for a machine that has nothing else to do.
func Long(seed uint64) Config {
	return Config{
		Seed: seed, Faults: 1000, PerRound: 100, Pace: 1200 * time.Millisecond, Connections: 4, Workers: 6, People: 12, Latency: 10 * time.Millisecond, Disk: 768 << 20,
	}
}

// Package worker executes runs: it claims one from the platform, drives its
// connector, and sends what the connector reads.
//
// A [Worker] speaks the protocol of internal/workerapi over HTTP and nothing
// else. Through it pass, in this order: an assignment from the claim, the
// configuration of that one connection, pages from the connector, numbered
// batches to the platform, and one closing word (finished, failed, cancelled or
// handed back). Everything that a provider does to a read is dealt with here
// rather than in each connector: throttling, outages, pages that the contract
// forbids, panics.
//
// A worker holds one run at a time, a few pages of it, and no state between
// runs. It never opens a database, never stores or logs a configuration, and
// once it may have lost its lease it says nothing more about the run: whoever
// claims it next continues from the last stored batch.
package worker

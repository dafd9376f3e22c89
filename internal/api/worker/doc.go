// Package worker serves the platform's side of the worker protocol, which
// package workerapi describes: claims, heartbeats, batches, endings, and the
// once-only disclosure of a run's configuration.
//
// A claim is made with the fleet's worker token; everything after it with the
// token of the claimed run, which is good for that run and epoch alone.
package worker

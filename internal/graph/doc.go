// Package graph is the canonical access graph: how what a run read becomes part
// of it, and what can be asked of it.
//
// Pages of a run arrive as numbered batches and are staged ([Ingest]); when the
// run has been read, staged rows are compared with the current graph and only
// differences are written ([Publisher]). Every row belongs to the stream
// partition that read it, and only a partition that was read completely proves
// that what it no longer shows is gone. Questions read one version, the current
// one, and say what stands behind their answer.
package graph

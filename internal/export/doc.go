// Package export takes what the access graph says out of Gatehouse: entities,
// relationships, or the whole of an answer, as a file in one of several formats.
//
// [Service] takes requests, which need [workspace.Export], and hands files out.
// [Maker] makes a file in the background: it reads one moment of the graph through
// a [Source], turns what it reads into rows of a [Table], has an encoding write
// them, and stores the bytes in chunks as they come, so that its memory does not
// depend on how much there is. The encodings are the packages below this one.
//
// Requesting, completing, downloading and deleting are audit events, and the event
// of completion holds the file's SHA-256: package evidence builds on that. A file
// can be downloaded once it is whole and not before. The package asks no provider
// and so does not pass the gate, and it exports nothing that its caller could not
// read by the questions of the API.
package export

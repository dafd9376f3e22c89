package export

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// stall is how long a client may take to receive what was read at a time, 32 KiB.
const stall = time.Minute

// contentResponses documents the answers of a download, which net/http makes.
func contentResponses() map[string]*huma.Response {
	content := func() map[string]*huma.MediaType {
		types := map[string]*huma.MediaType{}
		for _, f := range []domain.Format{domain.CSV, domain.JSONLines, domain.Parquet, domain.OpenGraph} {
			media, _, _ := strings.Cut(f.MediaType(), ";")
			types[media] = &huma.MediaType{} // bytes, of which a schema could say nothing
		}
		return types
	}
	return map[string]*huma.Response{
		"200": {Description: "The file.", Content: content()},
		"206": {Description: "The part of the file that Range asked for.", Content: content()},
		"304": {Description: "The file is the one that If-None-Match names."},
	}
}

type downloadInput struct {
	ExportID api.PathID[id.Export] `path:"export_id"`
	Range    string                `header:"Range" maxLength:"100" doc:"One range of bytes." example:"bytes=1048576-"`
	IfRange  string                `header:"If-Range" maxLength:"100" doc:"The ETag of the file that Range is meant for; of another one, all is answered."`
}

func (o *operations) download(ctx context.Context, in *downloadInput) (*huma.StreamResponse, error) {
	// Several ranges need not be heeded, and another unit must not be (RFC 9110,
	// 14.2).
	if strings.Contains(in.Range, ",") || !strings.HasPrefix(in.Range, "bytes=") {
		in.Range = ""
	}
	x, file, err := o.exports.Download(ctx, api.CallerFrom(ctx), in.ExportID.ID, in.Range)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		r = r.Clone(r.Context())
		if r.Header.Del("Range"); in.Range != "" {
			r.Header.Set("Range", in.Range)
		}
		h := w.Header()
		h.Set("Content-Type", x.Query.Format.MediaType())
		h.Set("Content-Disposition", `attachment; filename="`+fileName(x)+`"`)
		h.Set("ETag", `"`+hex.EncodeToString(x.SHA256)+`"`)
		h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(x.SHA256)+":")
		paced := &pacedFile{ReadSeeker: file, deadline: http.NewResponseController(w).SetWriteDeadline}
		http.ServeContent(&refusals{ResponseWriter: w, request: r}, r, "", time.Time{}, paced)
		if paced.failed != nil {
			api.LoggerFrom(r.Context()).LogAttrs(r.Context(), slog.LevelWarn, "a download of an export ended early",
				slog.String("request_id", api.RequestID(r.Context())), slog.String("export", x.ID.String()), slog.Any("error", paced.failed))
			// The answer must not look complete; this is net/http's way to say so.
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// pacedFile gives each part of a download its own time, since the listener's
// time-out is for answers of known length, and notes that reading failed.
type pacedFile struct {
	io.ReadSeeker
	deadline func(time.Time) error
	failed   error
}

// Read reads and gives the client time to receive what was read.
func (f *pacedFile) Read(p []byte) (int, error) {
	n, err := f.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.failed = err
		return n, err
	}
	if late := f.deadline(time.Now().Add(stall)); late != nil && !errors.Is(late, errors.ErrUnsupported) {
		return n, late
	}
	return n, err
}

// refusals makes what net/http refuses in plain text a problem.
type refusals struct {
	http.ResponseWriter
	request *http.Request
	refused bool
}

// refusalOf says why, of the statuses that refuse, and nothing of others.
func refusalOf(status int) string {
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		return "the file has no such range; see Content-Range for how many bytes it has"
	case http.StatusPreconditionFailed:
		return "the file is another one than If-Match names; ask without it, and begin anew"
	}
	return ""
}

// WriteHeader answers with a problem where the request is refused.
func (w *refusals) WriteHeader(status int) {
	why := refusalOf(status)
	if why == "" {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	for _, name := range []string{"Content-Disposition", "Content-Length", "ETag", "Repr-Digest"} {
		w.Header().Del(name)
	}
	w.Header().Set("Cache-Control", "no-store") // net/http takes it away where it refuses
	api.WriteProblem(w.request.Context(), w.ResponseWriter, status, why)
}

// Write drops the plain text of a refusal.
func (w *refusals) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

func (o *operations) manifest(ctx context.Context, in *oneInput) (*huma.StreamResponse, error) {
	x, err := o.exports.Finished(ctx, api.CallerFrom(ctx), in.ExportID.ID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		// Byte for byte, since its hash is recorded. A client that went away gets no
		// more.
		_, _ = ctx.BodyWriter().Write(x.Manifest)
	}}, nil
}

package canary

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"iter"

	"github.com/klauspost/compress/zstd"
)

// Limits of what is expanded.
const (
	maxNested   = 3
	maxExpanded = 64 << 20 // bytes of one compressed part
)

// format is a way of compressing, known by how its content begins.
type format struct {
	name   string
	begins []byte
	open   func(io.Reader) (io.Reader, error)
}

func formats() []format {
	zlibReader := func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	return []format{
		{"gzip", []byte{0x1f, 0x8b, 0x08}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"zlib", []byte{0x78, 0x01}, zlibReader},
		{"zlib", []byte{0x78, 0x9c}, zlibReader},
		{"zlib", []byte{0x78, 0xda}, zlibReader},
		{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxExpanded))
		}},
	}
}

// expand yields what is compressed within a content, by the name of its format.
// What only looks like it is left out; of what is cut off or damaged comes as
// much as can be read.
func expand(content []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, f := range formats() {
			for at := 0; ; at++ {
				next := bytes.Index(content[at:], f.begins)
				if next < 0 {
					break
				}
				at += next
				r, err := f.open(bytes.NewReader(content[at:]))
				if err != nil {
					continue
				}
				var expanded bytes.Buffer
				// The error says that it ended too early, which is seen below.
				_, _ = io.Copy(&expanded, io.LimitReader(r, maxExpanded))
				if d, ok := r.(*zstd.Decoder); ok {
					d.Close()
				}
				if expanded.Len() > 0 && !yield(f.name, expanded.Bytes()) {
					return
				}
			}
		}
	}
}

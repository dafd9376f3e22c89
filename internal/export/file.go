package export

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// file reads the file of a completed export, a chunk at a time.
type file struct {
	// chunk returns the chunk of that number.
	chunk func(number int64) ([]byte, error)
	size  int64
	at    int64
	// held is the chunk that was read last, and number its number.
	held   []byte
	number int64
}

func newFile(ctx context.Context, s Store, x Export) *file {
	ref := Ref{Scope: x.Scope, Export: x.ID}
	return &file{size: x.Bytes, number: -1, chunk: func(number int64) ([]byte, error) { return s.Chunk(ctx, ref, number) }}
}

// Read reads up to the end of a chunk.
func (f *file) Read(p []byte) (int, error) {
	if f.at >= f.size {
		return 0, io.EOF
	}
	number := f.at / ChunkSize
	if number != f.number {
		held, err := f.chunk(number)
		if err != nil {
			return 0, err
		}
		if int64(len(held)) != min(ChunkSize, f.size-number*ChunkSize) {
			return 0, fmt.Errorf("chunk %d has %d bytes, which is not what was written", number, len(held))
		}
		f.held, f.number = held, number
	}
	n := copy(p, f.held[f.at-number*ChunkSize:])
	f.at += int64(n)
	return n, nil
}

// Seek sets where the next Read begins.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, errors.New("before the beginning of the file")
	}
	f.at = offset
	return offset, nil
}
